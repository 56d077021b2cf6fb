package io.symbolon.bench

import io.symbolon.DataKey
import io.symbolon.Symbolon
import kotlinx.coroutines.runBlocking
import java.io.File
import kotlin.system.exitProcess
import kotlin.system.measureNanoTime

/**
 * The load tool's other half: `PROFILE KEY DATA-KEY`. Each line of the standard input asks for one measurement, so
 * that both halves take turns, and is answered by a line with the seconds of it.
 *
 * `record TIMES`: that often 1 KiB is sealed under a data key in hand. `call TIMES`: encrypted by the fragment managers.
 * `encrypt FROM TO`, `decrypt FROM TO`: a file.
 */
fun main(arguments: Array<String>) {
    val (profile, key, dataKey) = arguments
    Symbolon.fromProfile(File(profile)).use { symbolon ->
        runBlocking { Load(symbolon, key, symbolon.dataKey(dataKey)).run() }
    }
    exitProcess(0)
}

private class Load(
    private val symbolon: Symbolon,
    private val key: String,
    private val dataKey: DataKey,
) {
    private val text = ByteArray(1024)

    suspend fun run() {
        for (line in generateSequence(::readLine)) {
            val words = line.split(' ')
            val nanoseconds = measureNanoTime { measured(words) }
            println(nanoseconds / 1e9)
        }
    }

    private suspend fun measured(words: List<String>) {
        when (words[0]) {
            "record" -> repeat(words[1].toInt()) { dataKey.seal(text) }
            "call" -> repeat(words[1].toInt()) { symbolon.encrypt(key, text) }
            "encrypt" -> symbolon.encryptFile(key, File(words[1]), File(words[2]), overwrite = true)
            "decrypt" -> symbolon.decryptFile(File(words[1]), File(words[2]), overwrite = true)
            else -> error("nobody knows here how to measure $words")
        }
    }
}

package io.symbolon.conformance

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import io.symbolon.Symbolon
import kotlinx.coroutines.runBlocking
import java.io.File
import java.nio.ByteBuffer
import kotlin.system.exitProcess

/** `write|open FOLDER NAME`: writes the messages of `cross.json`, or opens what everybody wrote. */
fun main(arguments: Array<String>) {
    val (verb, folder, name) = arguments
    Symbolon.fromEnvironment().use { symbolon ->
        val cross = Cross(symbolon, File(folder), name)
        runBlocking { if (verb == "write") cross.write() else cross.open() }
    }
    exitProcess(0)
}

private class Cross(
    private val symbolon: Symbolon,
    private val folder: File,
    private val name: String,
) {
    private val entries = ObjectMapper().readTree(folder.resolve("cross.json"))["entries"]

    suspend fun write() = entries.forEach { write(it, folder.resolve("${word(it)}.$name.symbolon")) }

    suspend fun open() =
        entries.forEach { entry ->
            val written =
                folder.listFiles {
                    _,
                    file,
                    ->
                    file.startsWith("${word(entry)}.") && file.endsWith(".symbolon")
                }!!
            check(written.isNotEmpty()) { "nobody wrote ${word(entry)}" }
            written.forEach { check(entry, it) }
        }

    private fun word(entry: JsonNode) = entry["name"].asText()

    private fun context(entry: JsonNode) =
        entry["context"]
            ?.properties()
            ?.associate {
                it.key to it.value.asText()
            }.orEmpty()

    private suspend fun write(
        entry: JsonNode,
        target: File,
    ) {
        val (key, plaintext) = entry["key"].asText() to pattern(entry["pattern"].asInt())
        when (val how = entry["how"].asText()) {
            "bytes" -> target.writeBytes(symbolon.encrypt(key, plaintext, context(entry)))
            "stream" -> writeStream(entry, key, plaintext, target)
            "file" -> writeFile(entry, key, plaintext, target)
            else -> error("nobody knows here how to write by $how")
        }
    }

    private suspend fun writeStream(
        entry: JsonNode,
        key: String,
        plaintext: ByteArray,
        target: File,
    ) = symbolon.encryptTo(key, target.outputStream(), context(entry)).use { out ->
        for (at in plaintext.indices step 1000) out.write(plaintext, at, minOf(1000, plaintext.size - at))
    }

    private suspend fun writeFile(
        entry: JsonNode,
        key: String,
        plaintext: ByteArray,
        target: File,
    ) {
        val source = folder.resolve("$name.plain").apply { writeBytes(plaintext) }
        symbolon.encryptFile(key, source, target, context(entry))
        check(source.delete())
    }

    private suspend fun check(
        entry: JsonNode,
        sealed: File,
    ) {
        val expected = pattern(entry["pattern"].asInt())
        val opened =
            when (entry["how"].asText()) {
                "bytes" -> symbolon.decrypt(sealed.readBytes(), context(entry))
                "stream" -> symbolon.decryptFrom(sealed.inputStream(), context(entry)).use { it.readBytes() }
                else -> openFile(entry, sealed)
            }
        check(expected.contentEquals(opened)) { "$sealed opens to something else" }
        entry["seek"]?.let { seek(entry, sealed, expected, it.asInt()) }
    }

    private suspend fun openFile(
        entry: JsonNode,
        sealed: File,
    ): ByteArray {
        val target = folder.resolve("$name.opened")
        symbolon.decryptFile(sealed, target, context(entry), overwrite = true)
        return target.readBytes().also { check(target.delete()) }
    }

    private suspend fun seek(
        entry: JsonNode,
        sealed: File,
        expected: ByteArray,
        at: Int,
    ) = symbolon.open(sealed, context(entry)).use { channel ->
        val rest = ByteBuffer.allocate(expected.size - at)
        channel.position(at.toLong())
        while (rest.hasRemaining() && channel.read(rest) >= 0) Unit
        check(
            expected.copyOfRange(at, expected.size).contentEquals(rest.array()),
        ) { "$sealed, from $at on, is something else" }
    }
}

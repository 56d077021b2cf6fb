package io.symbolon.shutdown

import io.symbolon.CustomerFragment
import io.symbolon.Symbolon
import kotlinx.coroutines.runBlocking
import java.io.File
import kotlin.concurrent.thread
import kotlin.system.exitProcess

private const val TICK = 10L
private const val FOREVER = 600_000L

/** Says that it is in the middle of its work. Standard output is what the test reads. */
private fun inTheMiddle() {
    println("in the middle")
    System.out.flush()
}

/** A customer fragment that never answers. */
private object Silent : CustomerFragment {
    override val id = ByteArray(16)

    override suspend fun evaluate(message: ByteArray): ByteArray {
        inTheMiddle()
        Thread.sleep(FOREVER)
        return message
    }
}

private fun work(
    kind: String,
    symbolon: Symbolon,
    folder: File,
) = runBlocking {
    when (kind) {
        "call" -> {
            symbolon.encrypt("notes", ByteArray(1))
        }

        "fragment" -> {
            symbolon.encrypt("shutdown/guarded", ByteArray(1))
        }

        "file" -> {
            symbolon.encryptFile("notes", folder.resolve("plain"), folder.resolve("sealed")) {
                inTheMiddle()
                Thread.sleep(TICK)
            }
        }

        else -> {
            error("nobody knows here how to $kind")
        }
    }
}

/** `WORK END PROFILE FOLDER`: begins some work, and ends in the middle of it, once it is told to. */
fun main(arguments: Array<String>) {
    val (kind, end, profile, folder) = arguments
    val symbolon = Symbolon.fromProfile(File(profile), customerFragments = listOf(Silent))
    repeat(if (kind == "call") 8 else 1) {
        thread(isDaemon = true) { work(kind, symbolon, File(folder)) }
    }
    readLine()
    when (end) {
        "return" -> {
            return
        }

        "exit" -> {
            exitProcess(3)
        }

        "exit-and-close" -> {
            Runtime.getRuntime().addShutdownHook(Thread { symbolon.close() })
            exitProcess(4)
        }

        else -> {
            error("nobody knows here how to $end")
        }
    }
}

package io.symbolon.example

import io.symbolon.Symbolon
import kotlinx.coroutines.runBlocking
import java.io.File
import kotlin.system.exitProcess

/** `FILE [NAME=VALUE…]`: decrypts a file of that context to the standard output, by the profile `SYMBOLON_PROFILE`. */
fun main(arguments: Array<String>) {
    val context = arguments.drop(1).associate { it.substringBefore('=') to it.substringAfter('=') }
    runBlocking {
        Symbolon.fromEnvironment().use { symbolon ->
            symbolon.decryptFrom(File(arguments[0]).inputStream(), context).use { it.copyTo(System.out) }
        }
    }
    System.out.flush()
    exitProcess(0)
}

package io.symbolon

import java.io.File
import java.nio.ByteBuffer

/** The README's program, as it stands there. */
suspend fun readme(folder: File) {
    val big = folder.resolve("readme.big").apply { writeBytes(ByteArray(3_000_000) { (it % 251).toByte() }) }

    Symbolon.fromEnvironment().use { symbolon ->
        val sealed = symbolon.encrypt("notes", "hello".toByteArray(), context = mapOf("user" to "42"))
        check(symbolon.decrypt(sealed, context = mapOf("user" to "42")).decodeToString() == "hello")

        symbolon.encryptFile("notes", big, File("$big.symbolon"))
        symbolon.open(File("$big.symbolon")).use { channel ->
            // seeks, without decrypting what lies before
            channel.position(1_000_000).read(ByteBuffer.allocate(100))
        }
    }
}

package io.symbolon.internal

import io.symbolon.EncryptingOutputStream
import io.symbolon.ffi.Decryption
import io.symbolon.ffi.Encryption
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream

/** So much crosses at a time: enough that crossing costs little. */
private const val BLOCK_BYTES = 256 * 1024

/** Encrypts into another stream. */
internal class Encrypting(
    private val message: Encryption,
    private val sink: OutputStream,
) : EncryptingOutputStream() {
    private val block = ByteArray(BLOCK_BYTES)
    private var filled = 0
    private var isOver = false

    override fun write(byte: Int) = write(byteArrayOf(byte.toByte()), 0, 1)

    override fun write(
        bytes: ByteArray,
        offset: Int,
        length: Int,
    ) {
        checkBounds(bytes, offset, length)
        checkOpen()
        var at = offset
        while (at < offset + length) {
            if (filled == block.size) push()
            val taken = minOf(block.size - filled, offset + length - at)
            bytes.copyInto(block, filled, at, at + taken)
            filled += taken
            at += taken
        }
    }

    /** What has been written goes on its way, but for a chunk that isn't full: only the last one may be short. */
    override fun flush() {
        checkOpen()
        push()
        sink.flush()
    }

    override fun close() {
        if (isOver) return
        try {
            push()
            isOver = true
            sink.write(streaming { message.finish() })
        } finally {
            abort()
        }
    }

    override fun abort() {
        isOver = true
        block.fill(0)
        message.close()
        sink.close()
    }

    private fun push() {
        val piece = block.copyOf(filled)
        filled = 0
        sink.write(streaming { message.push(piece) })
    }

    private fun checkOpen() {
        if (isOver) throw IOException("the stream is closed")
    }
}

/** Decrypts from another stream, which stands behind the preamble. */
internal class Decrypting(
    private val message: Decryption,
    private val source: InputStream,
) : InputStream() {
    private val block = ByteArray(BLOCK_BYTES)
    private var text = ByteArray(0)
    private var at = 0
    private var isAtEnd = false
    private var isClosed = false

    override fun read(): Int {
        val byte = ByteArray(1)
        return if (read(byte, 0, 1) < 0) -1 else byte[0].toInt() and 0xff
    }

    override fun read(
        buffer: ByteArray,
        offset: Int,
        length: Int,
    ): Int {
        checkBounds(buffer, offset, length)
        if (isClosed) throw IOException("the stream is closed")
        if (length == 0) return 0
        while (at == text.size) {
            if (isAtEnd) return -1
            fill()
        }
        val taken = minOf(length, available())
        text.copyInto(buffer, offset, at, at + taken)
        at += taken
        return taken
    }

    override fun available(): Int = text.size - at

    override fun close() {
        isClosed = true
        text.fill(0)
        message.close()
        source.close()
    }

    private fun fill() {
        val count = source.read(block)
        text = streaming { if (count < 0) message.finish() else message.push(block.copyOf(count)) }
        isAtEnd = count < 0
        at = 0
    }
}

private fun checkBounds(
    bytes: ByteArray,
    offset: Int,
    length: Int,
) {
    if (offset < 0 || length < 0 || length > bytes.size - offset) throw IndexOutOfBoundsException()
}

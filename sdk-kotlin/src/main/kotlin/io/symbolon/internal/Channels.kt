package io.symbolon.internal

import io.symbolon.ffi.CallbackException
import io.symbolon.ffi.SeekableDecryption
import io.symbolon.ffi.Source
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import java.nio.channels.NonWritableChannelException
import java.nio.channels.SeekableByteChannel

/** At least so much crosses at a time: one chunk of the default size. */
private const val WINDOW_BYTES = 64 * 1024

/** A ciphertext in a channel, as the native side reads it. What the channel throws is kept for the caller. */
internal class ChannelSource(
    private val channel: SeekableByteChannel,
) : Source,
    AutoCloseable {
    @Volatile
    private var thrown: Throwable? = null

    override fun size(): ULong = guarded { channel.size().toULong() }

    override fun read(
        offset: ULong,
        length: UInt,
    ): ByteArray =
        guarded {
            val buffer = ByteBuffer.allocate(length.toInt())
            channel.position(offset.toLong())
            while (buffer.hasRemaining() && channel.read(buffer) >= 0) Unit
            buffer.array().copyOf(buffer.position())
        }

    /** Does what reads from here; where the channel threw, that is what the caller sees. */
    inline fun <T> rethrowing(work: () -> T): T {
        thrown = null
        return try {
            work()
        } catch (failure: Exception) {
            throw thrown ?: failure
        }
    }

    override fun close() = channel.close()

    private inline fun <T> guarded(work: () -> T): T =
        try {
            work()
        } catch (failure: Throwable) {
            thrown = failure
            throw CallbackException.Threw(failure.toString())
        }
}

/** The plaintext of a ciphertext, from any place. Without a source, the native side reads the ciphertext itself. */
internal class DecryptingChannel(
    private val plaintext: SeekableDecryption,
    private val source: ChannelSource?,
) : SeekableByteChannel {
    private val length = plaintext.length().toLong()
    private var position = 0L
    private var window = ByteArray(0)
    private var windowStart = 0L
    private var isOpen = true

    @Synchronized
    override fun read(target: ByteBuffer): Int {
        checkOpen()
        if (!target.hasRemaining()) return 0
        if (position >= length) return -1
        val start = position
        while (target.hasRemaining() && position < length) {
            if (position !in windowStart until windowStart + window.size) look(target.remaining())
            val skip = (position - windowStart).toInt()
            val taken = minOf(window.size - skip, target.remaining())
            target.put(window, skip, taken)
            position += taken
        }
        return (position - start).toInt()
    }

    @Synchronized
    override fun position(): Long {
        checkOpen()
        return position
    }

    @Synchronized
    override fun position(newPosition: Long): SeekableByteChannel {
        checkOpen()
        require(newPosition >= 0) { "a position is not below zero" }
        position = newPosition
        return this
    }

    override fun size(): Long {
        checkOpen()
        return length
    }

    override fun write(source: ByteBuffer): Int = throw NonWritableChannelException()

    override fun truncate(size: Long): SeekableByteChannel = throw NonWritableChannelException()

    override fun isOpen(): Boolean = isOpen

    @Synchronized
    override fun close() {
        isOpen = false
        window.fill(0)
        plaintext.close()
        source?.close()
    }

    private fun look(wanted: Int) {
        val count = maxOf(wanted, WINDOW_BYTES).toUInt()
        val reading = { streaming { plaintext.read(position.toULong(), count) } }
        window = source?.rethrowing(reading) ?: reading()
        windowStart = position
    }

    private fun checkOpen() {
        if (!isOpen) throw ClosedChannelException()
    }
}

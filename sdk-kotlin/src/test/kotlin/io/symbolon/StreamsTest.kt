package io.symbolon

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.extension.ExtendWith
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.FilterInputStream
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.channels.Channels
import java.nio.channels.ClosedChannelException
import java.nio.channels.NonWritableChannelException
import java.nio.channels.SeekableByteChannel
import java.nio.file.Files
import java.nio.file.StandardOpenOption
import java.util.zip.ZipEntry
import java.util.zip.ZipInputStream
import java.util.zip.ZipOutputStream
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertSame

@ExtendWith(WithDeployment::class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StreamsTest(
    private val deployment: Deployment,
) {
    private val symbolon = Symbolon.fromProfile(deployment.profile)
    private val context = mapOf("album" to "2026")

    @AfterAll
    fun close() = symbolon.close()

    private fun pattern(length: Int) = ByteArray(length) { (it % 251).toByte() }

    private fun pieces(
        bytes: ByteArray,
        size: Int,
    ): Flow<ByteArray> =
        bytes.indices
            .step(size)
            .map { bytes.copyOfRange(it, minOf(it + size, bytes.size)) }
            .asFlow()

    private suspend fun Flow<ByteArray>.joined(): ByteArray =
        ByteArrayOutputStream().also { all -> collect { all.write(it) } }.toByteArray()

    private suspend fun sealed(plaintext: ByteArray): ByteArray = symbolon.encrypt("notes", plaintext, context)

    @Test
    fun `flows of any pieces`() =
        runBlocking<Unit> {
            for (length in listOf(0, 1, 65_536, 65_537, 300_000)) {
                val plaintext = pattern(length)
                val sealed = symbolon.encrypt("notes", pieces(plaintext, 1000), context).joined()
                assertContentEquals(plaintext, symbolon.decrypt(sealed, context))
                for (size in listOf(1, 7, 65_552, 1_000_000).filter { sealed.size / it < 10_000 }) {
                    assertContentEquals(plaintext, symbolon.decrypt(pieces(sealed, size), context).joined())
                }
            }
        }

    @Test
    fun `each collector of a flow gets a message of its own`() =
        runBlocking<Unit> {
            val sealed = symbolon.encrypt("notes", pieces(pattern(10), 10), context)
            val (one, other) = listOf(sealed.joined(), sealed.joined())
            assertEquals(false, one.contentEquals(other))
            assertContentEquals(symbolon.decrypt(one, context), symbolon.decrypt(other, context))
        }

    @Test
    fun `a flow that is cut or changed says so`() =
        runBlocking<Unit> {
            val sealed = sealed(pattern(200_000))
            for (length in listOf(0, 5, 100, sealed.size - 1)) {
                assertFailsWith<SymbolonException.Integrity> {
                    symbolon.decrypt(pieces(sealed.copyOf(length), 4096), context).toList()
                }
            }
            sealed[sealed.size - 1] = (sealed.last() + 1).toByte()
            assertFailsWith<SymbolonException.Integrity> { symbolon.decrypt(pieces(sealed, 4096), context).toList() }
        }

    @Test
    fun `a flow that fails, or that nobody wants any more, ends there`() =
        runBlocking<Unit> {
            val boom = IllegalStateException("boom")
            val failing =
                flow {
                    emit(pattern(100_000))
                    throw boom
                }
            assertSame(boom, assertFailsWith<IllegalStateException> { symbolon.encrypt("notes", failing).toList() })
            val first = symbolon.decrypt(pieces(sealed(pattern(300_000)), 70_000), context).take(1).toList()
            assertEquals(1, first.size)
        }

    @Test
    fun `streams below other streams`() =
        runBlocking<Unit> {
            val archive = ByteArrayOutputStream()
            ZipOutputStream(symbolon.encryptTo("notes", archive, context)).use { zip ->
                zip.putNextEntry(ZipEntry("one"))
                zip.write(pattern(400_000))
                zip.putNextEntry(ZipEntry("two"))
                zip.write("two".toByteArray())
            }
            val opened = symbolon.decryptFrom(ByteArrayInputStream(archive.toByteArray()), context)
            ZipInputStream(opened).use { zip ->
                assertEquals("one", zip.nextEntry!!.name)
                assertContentEquals(pattern(400_000), zip.readBytes())
                assertEquals("two", zip.nextEntry!!.name)
                assertEquals("two", zip.readBytes().decodeToString())
            }
        }

    @Test
    fun `a stream byte by byte, and flushed in the middle`() =
        runBlocking<Unit> {
            val sealed = ByteArrayOutputStream()
            symbolon.encryptTo("notes", sealed, context).use { out ->
                pattern(1000).forEach { out.write(it.toInt()) }
                out.flush()
                pattern(1000).forEach { out.write(it.toInt()) }
            }
            val bytes = mutableListOf<Byte>()
            symbolon.decryptFrom(ByteArrayInputStream(sealed.toByteArray()), context).use { opened ->
                while (true) {
                    val byte = opened.read()
                    if (byte < 0) break
                    bytes += byte.toByte()
                }
                assertEquals(-1, opened.read())
            }
            assertContentEquals(pattern(1000) + pattern(1000), bytes.toByteArray())
        }

    @Test
    fun `closing twice is fine, and going on is not`() =
        runBlocking<Unit> {
            val sealed = ByteArrayOutputStream()
            val out = symbolon.encryptTo("notes", sealed, context)
            repeat(2) { out.close() }
            assertFailsWith<IOException> { out.write(1) }
            assertFailsWith<IOException> { out.flush() }
            val opened = symbolon.decryptFrom(ByteArrayInputStream(sealed.toByteArray()), context)
            assertEquals(-1, opened.read())
            repeat(2) { opened.close() }
            assertFailsWith<IOException> { opened.read() }
            assertFailsWith<IndexOutOfBoundsException> { out.write(ByteArray(3), 2, 2) }
        }

    @Test
    fun `what was given up is not a message`() =
        runBlocking<Unit> {
            val sealed = ByteArrayOutputStream()
            symbolon.encryptTo("notes", sealed, context).use { out ->
                out.write(pattern(600_000))
                out.abort()
            }
            val failure =
                assertFailsWith<SymbolonException.Integrity> { symbolon.decrypt(sealed.toByteArray(), context) }
            assertEquals("integrity", kind(failure))
        }

    @Test
    fun `a stream that is cut throws as streams do`() =
        runBlocking<Unit> {
            val cut = sealed(pattern(200_000)).let { it.copyOf(it.size - 1) }
            symbolon.decryptFrom(ByteArrayInputStream(cut), context).use { opened ->
                val failure = assertFailsWith<IOException> { opened.readBytes() }
                assertIs<SymbolonException.Integrity>(failure.cause)
            }
            val boom = IOException("boom")
            val failing: InputStream =
                object : FilterInputStream(ByteArrayInputStream(cut)) {
                    private var left = 100_000

                    override fun read(
                        buffer: ByteArray,
                        offset: Int,
                        length: Int,
                    ): Int {
                        if (left <= 0) throw boom
                        return super.read(buffer, offset, minOf(length, left)).also { left -= it }
                    }
                }
            assertSame(boom, assertFailsWith<IOException> { symbolon.decryptFrom(failing, context).readBytes() })
        }

    private fun check(
        channel: SeekableByteChannel,
        plaintext: ByteArray,
    ) {
        assertEquals(plaintext.size.toLong(), channel.size())
        for ((at, length) in listOf(
            0 to 10,
            65_530 to 12,
            250_000 to 1,
            131_072 to 65_536,
            299_990 to 100,
            3 to 200_000,
        )) {
            val buffer = ByteBuffer.allocate(length)
            val read = channel.position(at.toLong()).read(buffer)
            assertEquals(minOf(length, plaintext.size - at), read)
            assertContentEquals(plaintext.copyOfRange(at, at + read), buffer.array().copyOf(read))
            assertEquals((at + read).toLong(), channel.position())
        }
        assertEquals(-1, channel.position(plaintext.size + 5L).read(ByteBuffer.allocate(1)))
        assertFailsWith<IllegalArgumentException> { channel.position(-1) }
        assertFailsWith<NonWritableChannelException> { channel.write(ByteBuffer.allocate(1)) }
        assertFailsWith<NonWritableChannelException> { channel.truncate(0) }
        channel.position(0)
        assertContentEquals(plaintext, Channels.newInputStream(channel).readBytes())
        repeat(2) { channel.close() }
        assertEquals(false, channel.isOpen)
        assertFailsWith<ClosedChannelException> { channel.read(ByteBuffer.allocate(1)) }
    }

    @Test
    fun `channels from any place, of a file and of another channel`() =
        runBlocking<Unit> {
            val plaintext = pattern(300_000)
            val file = deployment.work.resolve("seek.symbolon").apply { writeBytes(sealed(plaintext)) }
            check(symbolon.open(file, context), plaintext)
            val source = Files.newByteChannel(file.toPath(), StandardOpenOption.READ)
            check(symbolon.open(source, context), plaintext)
            assertEquals(false, source.isOpen)
        }

    @Test
    fun `a channel that can't be opened says why`() =
        runBlocking<Unit> {
            val file = deployment.work.resolve("cut.symbolon")
            assertFailsWith<SymbolonException.NotFound> { symbolon.open(file, context) }
            file.writeBytes(sealed(pattern(300_000)).let { it.copyOf(it.size - 1) })
            assertFailsWith<SymbolonException.Integrity> { symbolon.open(file, context) }
            val boom = IOException("boom")
            val failing = FailingChannel(Files.newByteChannel(file.toPath()), boom)
            assertSame(boom, assertFailsWith<IOException> { symbolon.open(failing, context) })
            assertContentEquals(pattern(10), symbolon.decrypt(sealed(pattern(10)), context))
        }
}

private class FailingChannel(
    channel: SeekableByteChannel,
    private val failure: IOException,
) : SeekableByteChannel by channel {
    override fun read(target: ByteBuffer): Int = throw failure
}

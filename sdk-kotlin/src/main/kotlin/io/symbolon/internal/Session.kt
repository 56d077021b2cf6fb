package io.symbolon.internal

import io.symbolon.CustomerFragment
import io.symbolon.DataKey
import io.symbolon.EncryptingOutputStream
import io.symbolon.Keys
import io.symbolon.Message
import io.symbolon.Status
import io.symbolon.ffi.Client
import io.symbolon.ffi.ClientException
import io.symbolon.ffi.CustomerFragmentEntry
import io.symbolon.ffi.FileTask
import io.symbolon.ffi.Settings
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.io.File
import java.io.InputStream
import java.io.OutputStream
import java.nio.CharBuffer
import java.nio.channels.SeekableByteChannel
import kotlin.coroutines.cancellation.CancellationException
import io.symbolon.ffi.Message as FfiMessage

/** A client on the native side, and what Kotlin remembers of its customer fragments. */
internal class Session private constructor(
    private val client: Client,
    private val fragments: List<ForeignFragment>,
    private val isDerived: Boolean,
) : AutoCloseable {
    val keys: Keys = ClientKeys(this)

    fun holder(): String = crossing { client.holder() }

    suspend fun encrypt(
        key: String,
        plaintext: ByteArray,
        context: Map<String, String>,
    ): ByteArray = asking { it.encrypt(key, FfiMessage(plaintext, context)) }

    suspend fun decrypt(
        sealed: ByteArray,
        context: Map<String, String>,
    ): ByteArray = asking { it.decrypt(FfiMessage(sealed, context)) }

    suspend fun encryptMany(
        key: String,
        messages: List<Message>,
    ): List<ByteArray> = asking { it.encryptMany(key, messages.map(Message::crossed)) }

    suspend fun decryptMany(messages: List<Message>): List<ByteArray> =
        asking { it.decryptMany(messages.map(Message::crossed)) }

    suspend fun encryptFile(
        key: String,
        source: File,
        target: File,
        context: Map<String, String>,
        overwrite: Boolean,
        progress: ((Long) -> Unit)?,
    ): Long {
        val task = FileTask(source.path, target.path, context, overwrite)
        return telling(progress) { told -> asking { it.encryptFile(key, task, told) }.toLong() }
    }

    suspend fun decryptFile(
        source: File,
        target: File,
        context: Map<String, String>,
        overwrite: Boolean,
        progress: ((Long) -> Unit)?,
    ): Long {
        val task = FileTask(source.path, target.path, context, overwrite)
        return telling(progress) { told -> asking { it.decryptFile(task, told) }.toLong() }
    }

    suspend fun encryption(
        key: String,
        context: Map<String, String>,
    ) = asking { it.encryption(key, context) }

    suspend fun decryption(
        preamble: ByteArray,
        context: Map<String, String>,
    ) = asking { it.decryption(preamble, context) }

    suspend fun encryptTo(
        key: String,
        sink: OutputStream,
        context: Map<String, String>,
    ): EncryptingOutputStream = Encrypting(encryption(key, context), sink)

    suspend fun decryptFrom(
        source: InputStream,
        context: Map<String, String>,
    ): InputStream {
        val head = withContext(Dispatchers.IO) { Head().apply { readFrom(source) } }
        return Decrypting(decryption(head.bytes, context), source)
    }

    suspend fun open(
        file: File,
        context: Map<String, String>,
    ): SeekableByteChannel = DecryptingChannel(asking { it.seekableFile(file.path, context) }, null)

    suspend fun open(
        source: SeekableByteChannel,
        context: Map<String, String>,
    ): SeekableByteChannel {
        val ciphertext = ChannelSource(source)
        val plaintext = ciphertext.rethrowing { asking { it.seekable(ciphertext, context) } }
        return DecryptingChannel(plaintext, ciphertext)
    }

    suspend fun dataKey(
        key: String,
        context: Map<String, String>,
    ): DataKey = HeldDataKey(asking { it.dataKey(key, context) })

    suspend fun openDataKey(
        wrapped: ByteArray,
        context: Map<String, String>,
    ): DataKey = HeldDataKey(asking { it.openDataKey(wrapped, context) })

    suspend fun status(): Status = asking { it.status() }.shown()

    fun takeNotices(): List<String> = crossing { client.takeNotices() }

    fun onBehalfOf(name: String) = Session(crossing { client.onBehalfOf(name) }, fragments, isDerived = true)

    override fun close() {
        if (!isDerived) {
            try {
                client.end()
            } catch (_: IllegalStateException) {
                // It is closed already.
            }
        }
        client.close()
    }

    /** Asks the native side; what a customer fragment threw becomes the cause of what comes of it. */
    suspend fun <T> asking(operation: suspend (Client) -> T): T =
        try {
            operation(client)
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (failure: Exception) {
            throw failure.translated(cause = thrown(failure))
        }

    private fun thrown(failure: Exception): Throwable? {
        val isOurs = failure is ClientException.Failed && failure.code == FRAGMENT_FAILED
        return if (isOurs) fragments.firstNotNullOfOrNull(ForeignFragment::lastThrown) else null
    }

    companion object {
        private const val FRAGMENT_FAILED = "customer-fragment-failed"

        fun open(
            profile: File?,
            passphrase: CharArray?,
            deadlineMillis: Long?,
            customerFragments: List<CustomerFragment>,
        ): Session {
            NativeLog.attach()
            if (deadlineMillis != null && deadlineMillis <= 0) throw invalid("deadline", "a deadline is some time")
            val fragments = customerFragments.map(::ForeignFragment)
            val entries = fragments.map { CustomerFragmentEntry(it.id, it) }
            val secret = passphrase?.let(::utf8)
            try {
                val settings = Settings(profile?.path, secret, deadlineMillis?.toULong(), entries)
                return Session(crossing { Client.open(settings) }, fragments, isDerived = false)
            } finally {
                secret?.fill(0)
            }
        }

        private fun utf8(text: CharArray): ByteArray {
            val encoded = Charsets.UTF_8.encode(CharBuffer.wrap(text))
            val bytes = ByteArray(encoded.remaining())
            encoded.get(bytes)
            encoded.array().fill(0)
            return bytes
        }
    }
}

private fun Message.crossed() = FfiMessage(bytes, context)

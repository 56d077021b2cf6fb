package io.symbolon

import io.symbolon.internal.blocking
import java.io.File
import java.io.InputStream
import java.io.OutputStream
import java.nio.channels.SeekableByteChannel

/**
 * [Symbolon] for Java, and for threads that may wait. A thread that is interrupted ends its operation: it throws
 * [java.util.concurrent.CancellationException], and stays interrupted.
 *
 * @property suspending the client for coroutines that this one asks.
 */
class BlockingSymbolon(
    val suspending: Symbolon,
) : AutoCloseable {
    /** Management of keys. */
    val keys: BlockingKeys
        get() = BlockingKeys(suspending.keys)

    /** Access id of the holder, `sym1…`: who the servers see. */
    val holder: String
        get() = suspending.holder

    /** See [Symbolon.encrypt]. */
    @JvmOverloads
    fun encrypt(
        key: String,
        plaintext: ByteArray,
        context: Map<String, String> = emptyMap(),
    ): ByteArray = blocking { suspending.encrypt(key, plaintext, context) }

    /** See [Symbolon.decrypt]. */
    @JvmOverloads
    fun decrypt(
        sealed: ByteArray,
        context: Map<String, String> = emptyMap(),
    ): ByteArray = blocking { suspending.decrypt(sealed, context) }

    /** See [Symbolon.encryptMany]. */
    fun encryptMany(
        key: String,
        messages: List<Message>,
    ): List<ByteArray> = blocking { suspending.encryptMany(key, messages) }

    /** See [Symbolon.decryptMany]. */
    fun decryptMany(messages: List<Message>): List<ByteArray> = blocking { suspending.decryptMany(messages) }

    /** See [Symbolon.encryptFile]. */
    @JvmOverloads
    fun encryptFile(
        key: String,
        source: File,
        target: File,
        context: Map<String, String> = emptyMap(),
        overwrite: Boolean = false,
        progress: ProgressListener? = null,
    ): Long =
        blocking { suspending.encryptFile(key, source, target, context, overwrite, progress?.let { it::onProgress }) }

    /** See [Symbolon.decryptFile]. */
    @JvmOverloads
    fun decryptFile(
        source: File,
        target: File,
        context: Map<String, String> = emptyMap(),
        overwrite: Boolean = false,
        progress: ProgressListener? = null,
    ): Long = blocking { suspending.decryptFile(source, target, context, overwrite, progress?.let { it::onProgress }) }

    /** See [Symbolon.encryptTo]. */
    @JvmOverloads
    fun encryptTo(
        key: String,
        sink: OutputStream,
        context: Map<String, String> = emptyMap(),
    ): EncryptingOutputStream = blocking { suspending.encryptTo(key, sink, context) }

    /** See [Symbolon.decryptFrom]. */
    @JvmOverloads
    fun decryptFrom(
        source: InputStream,
        context: Map<String, String> = emptyMap(),
    ): InputStream = blocking { suspending.decryptFrom(source, context) }

    /** See [Symbolon.open]. */
    @JvmOverloads
    fun open(
        file: File,
        context: Map<String, String> = emptyMap(),
    ): SeekableByteChannel = blocking { suspending.open(file, context) }

    /** See [Symbolon.open]. */
    @JvmOverloads
    fun open(
        source: SeekableByteChannel,
        context: Map<String, String> = emptyMap(),
    ): SeekableByteChannel = blocking { suspending.open(source, context) }

    /** See [Symbolon.dataKey]. */
    @JvmOverloads
    fun dataKey(
        key: String,
        context: Map<String, String> = emptyMap(),
    ): DataKey = blocking { suspending.dataKey(key, context) }

    /** See [Symbolon.openDataKey]. */
    @JvmOverloads
    fun openDataKey(
        wrapped: ByteArray,
        context: Map<String, String> = emptyMap(),
    ): DataKey = blocking { suspending.openDataKey(wrapped, context) }

    /** See [Symbolon.status]. */
    fun status(): Status = blocking { suspending.status() }

    /** See [Symbolon.takeNotices]. */
    fun takeNotices(): List<String> = suspending.takeNotices()

    /** See [Symbolon.onBehalfOf]. */
    fun onBehalfOf(name: String): BlockingSymbolon = BlockingSymbolon(suspending.onBehalfOf(name))

    /** Ends the client. */
    override fun close() = suspending.close()

    /** Ways to a client. */
    companion object {
        /** See [Symbolon.fromEnvironment]. */
        @JvmStatic
        @JvmOverloads
        fun fromEnvironment(
            passphrase: CharArray? = null,
            deadlineMillis: Long? = null,
            customerFragments: List<CustomerFragment> = emptyList(),
        ): BlockingSymbolon = BlockingSymbolon(Symbolon.fromEnvironment(passphrase, deadlineMillis, customerFragments))

        /** See [Symbolon.fromProfile]. */
        @JvmStatic
        @JvmOverloads
        fun fromProfile(
            profile: File,
            passphrase: CharArray? = null,
            deadlineMillis: Long? = null,
            customerFragments: List<CustomerFragment> = emptyList(),
        ): BlockingSymbolon =
            BlockingSymbolon(Symbolon.fromProfile(profile, passphrase, deadlineMillis, customerFragments))

        /** See [Symbolon.inspect]. */
        @JvmStatic
        fun inspect(sealed: ByteArray): Header = Symbolon.inspect(sealed)
    }
}

/** Told how far a file has come. */
fun interface ProgressListener {
    /** So many bytes are written. What it throws ends the work. */
    fun onProgress(written: Long)
}

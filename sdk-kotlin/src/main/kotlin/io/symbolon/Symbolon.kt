package io.symbolon

import io.symbolon.internal.Session
import io.symbolon.internal.decryptPieces
import io.symbolon.internal.encryptPieces
import io.symbolon.internal.inspected
import kotlinx.coroutines.flow.Flow
import java.io.File
import java.io.InputStream
import java.io.OutputStream
import java.nio.channels.SeekableByteChannel

/**
 * A client: one holder of rights in one account. It asks a quorum of fragment managers, combines what they answer, and
 * encrypts and decrypts here; nobody else ever has a message's key.
 *
 * It is made once and used by as many coroutines as there may be. A coroutine that is cancelled ends its operation.
 * Everything throws [SymbolonException]; streams throw [java.io.IOException], whose cause is one.
 *
 * [BlockingSymbolon] is the same for Java, and for threads that may wait.
 */
class Symbolon private constructor(
    private val session: Session,
) : AutoCloseable {
    /** Management of keys. */
    val keys: Keys
        get() = session.keys

    /** Access id of the holder, `sym1…`: who the servers see. */
    val holder: String
        get() = session.holder()

    /**
     * Encrypts a message under the newest version of a key.
     *
     * @param key id of the key.
     * @param plaintext the message.
     * @param context what it is bound to: it opens only with the same pairs. At most 64; they aren't kept in it.
     */
    suspend fun encrypt(
        key: String,
        plaintext: ByteArray,
        context: Map<String, String> = emptyMap(),
    ): ByteArray = session.encrypt(key, plaintext, context)

    /** Decrypts a message, of which not one byte is given before all of it is known to be authentic. */
    suspend fun decrypt(
        sealed: ByteArray,
        context: Map<String, String> = emptyMap(),
    ): ByteArray = session.decrypt(sealed, context)

    /** Encrypts many messages under one key, 64 of them an exchange. One that fails fails them all. */
    suspend fun encryptMany(
        key: String,
        messages: List<Message>,
    ): List<ByteArray> = session.encryptMany(key, messages)

    /** Decrypts many messages, whatever their keys, up to 64 of them an exchange. One that fails fails them all. */
    suspend fun decryptMany(messages: List<Message>): List<ByteArray> = session.decryptMany(messages)

    /**
     * Encrypts a file. The other one appears when it is whole; an operation that fails or is cancelled leaves nothing.
     *
     * @param key id of the key.
     * @param source the file with the plaintext.
     * @param target the file that is made.
     * @param context what the message is bound to.
     * @param overwrite whether a target that is there already is replaced.
     * @param progress told now and then, by its own thread, how many bytes are written; what it throws ends the work.
     * @return length of the ciphertext.
     */
    suspend fun encryptFile(
        key: String,
        source: File,
        target: File,
        context: Map<String, String> = emptyMap(),
        overwrite: Boolean = false,
        progress: ((written: Long) -> Unit)? = null,
    ): Long = session.encryptFile(key, source, target, context, overwrite, progress)

    /**
     * Decrypts a file. The other one appears only if all of it is authentic.
     *
     * @param source the file with the ciphertext.
     * @param target the file that is made.
     * @param context what the message is bound to.
     * @param overwrite whether a target that is there already is replaced.
     * @param progress told now and then, by its own thread, how many bytes are written; what it throws ends the work.
     * @return length of the plaintext.
     */
    suspend fun decryptFile(
        source: File,
        target: File,
        context: Map<String, String> = emptyMap(),
        overwrite: Boolean = false,
        progress: ((written: Long) -> Unit)? = null,
    ): Long = session.decryptFile(source, target, context, overwrite, progress)

    /** Encrypts what flows by, in constant memory. Each collector gets a message of its own. */
    fun encrypt(
        key: String,
        plaintext: Flow<ByteArray>,
        context: Map<String, String> = emptyMap(),
    ): Flow<ByteArray> = session.encryptPieces(key, plaintext, context)

    /**
     * Decrypts what flows by, in constant memory. Every byte is authentic, but only when the flow completes is the
     * message known to be whole: if it fails, throw away what came.
     */
    fun decrypt(
        sealed: Flow<ByteArray>,
        context: Map<String, String> = emptyMap(),
    ): Flow<ByteArray> = session.decryptPieces(sealed, context)

    /** A stream that encrypts what is written to it into another one. */
    suspend fun encryptTo(
        key: String,
        sink: OutputStream,
        context: Map<String, String> = emptyMap(),
    ): EncryptingOutputStream = session.encryptTo(key, sink, context)

    /**
     * A stream of the plaintext of another one. Every byte is authentic, but only at its end is the message known to be
     * whole. Closing it closes the other.
     */
    suspend fun decryptFrom(
        source: InputStream,
        context: Map<String, String> = emptyMap(),
    ): InputStream = session.decryptFrom(source, context)

    /** The plaintext of a file, to be read from any place. Its length is known to be right. */
    suspend fun open(
        file: File,
        context: Map<String, String> = emptyMap(),
    ): SeekableByteChannel = session.open(file, context)

    /** The plaintext of a channel, to be read from any place. Closing it closes the other. */
    suspend fun open(
        source: SeekableByteChannel,
        context: Map<String, String> = emptyMap(),
    ): SeekableByteChannel = session.open(source, context)

    /** Makes a data key under a key whose purpose is [Purpose.DATA_KEY]. */
    suspend fun dataKey(
        key: String,
        context: Map<String, String> = emptyMap(),
    ): DataKey = session.dataKey(key, context)

    /** Opens a wrapped data key. */
    suspend fun openDataKey(
        wrapped: ByteArray,
        context: Map<String, String> = emptyMap(),
    ): DataKey = session.openDataKey(wrapped, context)

    /** Asks all servers how they are. */
    suspend fun status(): Status = session.status()

    /** What operations since the last call got around, in words: a fragment manager that was down, or lied. */
    fun takeNotices(): List<String> = session.takeNotices()

    /**
     * The same client, acting for somebody: the access manager's policy decides about them, and its audit log names
     * them. It ends with this one; closing it ends only itself.
     */
    fun onBehalfOf(name: String): Symbolon = Symbolon(session.onBehalfOf(name))

    /** Ends the client: operations under way and later ones fail as [SymbolonException.Invalid] with code `closed`. */
    override fun close() = session.close()

    /** Ways to a client. */
    companion object {
        /**
         * The client of the profile that `SYMBOLON_PROFILE` names, or else of `symbolon-dev/profile.toml` in the
         * working directory, or else of `symbolon/profile.toml` in the user's configuration. Nothing is connected yet.
         *
         * @param passphrase opens what of the profile is sealed under one.
         * @param deadlineMillis time for one operation; streams and files only need their key within it.
         * @param customerFragments customer fragments that go before those of the profile.
         */
        @JvmStatic
        @JvmOverloads
        fun fromEnvironment(
            passphrase: CharArray? = null,
            deadlineMillis: Long? = null,
            customerFragments: List<CustomerFragment> = emptyList(),
        ): Symbolon = Symbolon(Session.open(null, passphrase, deadlineMillis, customerFragments))

        /**
         * The client of a profile. Nothing is connected yet.
         *
         * @param profile the profile's file.
         * @param passphrase opens what of the profile is sealed under one.
         * @param deadlineMillis time for one operation; streams and files only need their key within it.
         * @param customerFragments customer fragments that go before those of the profile.
         */
        @JvmStatic
        @JvmOverloads
        fun fromProfile(
            profile: File,
            passphrase: CharArray? = null,
            deadlineMillis: Long? = null,
            customerFragments: List<CustomerFragment> = emptyList(),
        ): Symbolon = Symbolon(Session.open(profile, passphrase, deadlineMillis, customerFragments))

        /** What a ciphertext says about itself. Its start suffices, and no key is needed. */
        @JvmStatic
        fun inspect(sealed: ByteArray): Header = inspected(sealed)
    }
}

package io.symbolon

import io.symbolon.internal.MacFragment
import javax.crypto.SecretKey

/**
 * A customer fragment, wherever it is kept: it evaluates, and is never shown.
 *
 * Keys that were made with a customer fragment can be used only together with it. The first fragment of a client is
 * for writing, all are for reading.
 */
interface CustomerFragment {
    /** Its id, 16 bytes: in the header of everything that was encrypted with it. */
    val id: ByteArray

    /**
     * HMAC-SHA256 of a message under the fragment, 32 bytes. It may be asked several times at once, and is cancelled
     * with the operation that asks. What it throws is the cause of the [SymbolonException.Unavailable] that results.
     */
    suspend fun evaluate(message: ByteArray): ByteArray

    /** Ready-made ones. */
    companion object {
        /**
         * A fragment that is a key for `HmacSHA256`: one of the Android Keystore, which a program can use and nobody
         * can read, or any other.
         *
         * @param id its id, 16 bytes.
         * @param key the key.
         */
        @JvmStatic
        fun of(
            id: ByteArray,
            key: SecretKey,
        ): CustomerFragment = MacFragment(id.copyOf(), key)
    }
}

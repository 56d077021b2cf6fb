package io.symbolon

/**
 * A data key in hand: records are sealed and opened here, and nobody is asked.
 *
 * Its bytes are wiped when it is closed, those that [bytes] gave excepted.
 */
interface DataKey : AutoCloseable {
    /** The key as it may be kept beside what it seals: encrypted. [Symbolon.openDataKey] opens it. */
    val wrapped: ByteArray

    /** The key itself, 32 bytes, for a cipher of the caller's own. */
    fun bytes(): ByteArray

    /** Seals a record, bound to a context. */
    fun seal(
        plaintext: ByteArray,
        context: Map<String, String> = emptyMap(),
    ): ByteArray

    /** Opens a record. */
    fun open(
        sealed: ByteArray,
        context: Map<String, String> = emptyMap(),
    ): ByteArray

    /** Wipes the key. */
    override fun close()
}

package io.symbolon

/**
 * One of many messages.
 *
 * @property bytes plaintext, or ciphertext.
 * @property context what it is bound to: it opens only with the same pairs.
 */
class Message
    @JvmOverloads
    constructor(
        val bytes: ByteArray,
        val context: Map<String, String> = emptyMap(),
    )

package io.symbolon

/**
 * What a ciphertext says about itself. Nothing of it is proven before the message is decrypted.
 *
 * @property key id of the key.
 * @property version version of the key.
 * @property suite the key's suite.
 * @property purpose what the key is for.
 * @property account id of the account, `symacct1…`.
 * @property writer access id of who wrote it, `sym1…`.
 * @property createdSeconds when it was written, in Unix seconds.
 * @property customerFragment id of the customer fragment that takes part, in hexadecimal; null if none does.
 * @property chunkBytes how many bytes of plaintext a chunk holds.
 * @property contextPairs how many pairs the context has.
 */
data class Header(
    val key: String,
    val version: Long,
    val suite: Suite,
    val purpose: Purpose,
    val account: String,
    val writer: String,
    val createdSeconds: Long,
    val customerFragment: String?,
    val chunkBytes: Int,
    val contextPairs: Int,
)

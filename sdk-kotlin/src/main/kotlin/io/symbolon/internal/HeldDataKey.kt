package io.symbolon.internal

import io.symbolon.DataKey
import io.symbolon.ffi.DataKey as FfiDataKey

/** A data key on the native side. */
internal class HeldDataKey(
    private val key: FfiDataKey,
) : DataKey {
    override val wrapped: ByteArray
        get() = crossing { key.wrapped() }

    override fun bytes(): ByteArray = crossing { key.expose() }

    override fun seal(
        plaintext: ByteArray,
        context: Map<String, String>,
    ): ByteArray = crossing { key.seal(plaintext, context) }

    override fun open(
        sealed: ByteArray,
        context: Map<String, String>,
    ): ByteArray = crossing { key.open(sealed, context) }

    override fun close() = key.close()
}

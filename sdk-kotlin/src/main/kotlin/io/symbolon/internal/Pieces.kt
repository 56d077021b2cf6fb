package io.symbolon.internal

import io.symbolon.ffi.Decryption
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.flow

/** Encrypts what flows by. */
internal fun Session.encryptPieces(
    key: String,
    plaintext: Flow<ByteArray>,
    context: Map<String, String>,
): Flow<ByteArray> =
    flow {
        encryption(key, context).use { message ->
            plaintext.collect { piece -> emitSome(crossing { message.push(piece) }) }
            emitSome(crossing { message.finish() })
        }
    }

/** Decrypts what flows by. */
internal fun Session.decryptPieces(
    sealed: Flow<ByteArray>,
    context: Map<String, String>,
): Flow<ByteArray> =
    flow {
        val head = Head()
        var message: Decryption? = null
        try {
            sealed.collect { piece ->
                val rest = head.take(piece)
                if (head.isWhole) {
                    val open = message ?: decryption(head.bytes, context).also { message = it }
                    emitSome(crossing { open.push(rest) })
                }
            }
            val open = message ?: decryption(head.bytes, context).also { message = it }
            emitSome(crossing { open.finish() })
        } finally {
            message?.close()
        }
    }

private suspend fun FlowCollector<ByteArray>.emitSome(bytes: ByteArray) {
    if (bytes.isNotEmpty()) emit(bytes)
}

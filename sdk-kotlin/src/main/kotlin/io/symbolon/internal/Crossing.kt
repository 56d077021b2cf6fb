package io.symbolon.internal

import io.symbolon.SymbolonException
import io.symbolon.ffi.ClientException
import io.symbolon.ffi.ErrorKind
import io.symbolon.ffi.InternalException
import java.io.IOException
import java.nio.charset.CharacterCodingException
import kotlin.coroutines.cancellation.CancellationException

/** Calls the native side, whose failures become [SymbolonException]s. */
internal inline fun <T> crossing(call: () -> T): T =
    try {
        call()
    } catch (cancelled: CancellationException) {
        throw cancelled
    } catch (failure: Exception) {
        throw failure.translated()
    }

/** The same within a stream, which throws [IOException]s only. */
internal inline fun <T> streaming(call: () -> T): T =
    try {
        crossing(call)
    } catch (failure: SymbolonException) {
        throw IOException(failure.message, failure)
    }

@PublishedApi
internal fun Exception.translated(cause: Throwable? = null): Exception =
    when (this) {
        is ClientException.Failed -> {
            explained(cause)
        }

        // The native side panicked, and caught it where it crosses.
        is InternalException -> {
            SymbolonException.Bug(
                "panicked",
                "a fault in the native library: $message",
                cause = this,
            )
        }

        // The handle is gone: somebody closed it.
        is IllegalStateException -> {
            closed()
        }

        is CharacterCodingException -> {
            notText(this)
        }

        else -> {
            this
        }
    }

internal fun closed() = SymbolonException.Invalid("closed", "it is closed already")

/** A value of the call that is out of any bounds. */
internal fun invalid(
    code: String,
    detail: String,
) = SymbolonException.Invalid(code, detail)

private fun notText(cause: Exception) =
    SymbolonException.Invalid("text", "a text has half a character, which UTF-8 cannot have", cause = cause)

private fun ClientException.Failed.explained(cause: Throwable?): SymbolonException =
    when (kind) {
        ErrorKind.DENIED -> {
            SymbolonException.Denied(code, detail, advice, cause)
        }

        ErrorKind.NOT_FOUND -> {
            SymbolonException.NotFound(code, detail, advice, cause)
        }

        ErrorKind.CONFLICT -> {
            SymbolonException.Conflict(code, detail, advice, cause)
        }

        ErrorKind.INVALID -> {
            SymbolonException.Invalid(code, detail, advice, cause)
        }

        ErrorKind.INTEGRITY -> {
            SymbolonException.Integrity(code, detail, advice, cause)
        }

        ErrorKind.UNAVAILABLE -> {
            SymbolonException.Unavailable(code, detail, advice, retryAfter?.toLong(), cause)
        }

        ErrorKind.BUG -> {
            SymbolonException.Bug(code, detail, advice, cause)
        }
    }

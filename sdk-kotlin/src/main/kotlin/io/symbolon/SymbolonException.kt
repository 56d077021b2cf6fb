package io.symbolon

/**
 * Why an operation failed, by whose move it is. It carries no secret and no plaintext.
 *
 * @property code names the error for programs. It is stable; `docs/errors.md` lists all of them.
 * @property detail tells people what happened.
 * @property advice tells people what to do next, where there is something to say.
 */
sealed class SymbolonException(
    val code: String,
    val detail: String,
    val advice: String?,
    cause: Throwable?,
) : RuntimeException(listOfNotNull(detail, advice).joinToString("\n"), cause) {
    /** The caller may not. Ask the account's owner. */
    class Denied internal constructor(
        code: String,
        detail: String,
        advice: String? = null,
        cause: Throwable? = null,
    ) : SymbolonException(code, detail, advice, cause)

    /** There is no such thing, or the caller may not know. Check the name. */
    class NotFound internal constructor(
        code: String,
        detail: String,
        advice: String? = null,
        cause: Throwable? = null,
    ) : SymbolonException(code, detail, advice, cause)

    /** The state of things doesn't allow it. Look, then decide. */
    class Conflict internal constructor(
        code: String,
        detail: String,
        advice: String? = null,
        cause: Throwable? = null,
    ) : SymbolonException(code, detail, advice, cause)

    /** The call itself is wrong, or comes too late. Mend it. */
    class Invalid internal constructor(
        code: String,
        detail: String,
        advice: String? = null,
        cause: Throwable? = null,
    ) : SymbolonException(code, detail, advice, cause)

    /** Something isn't what it claims to be. Trying again doesn't help. */
    class Integrity internal constructor(
        code: String,
        detail: String,
        advice: String? = null,
        cause: Throwable? = null,
    ) : SymbolonException(code, detail, advice, cause)

    /**
     * It can't be done now. Try again.
     *
     * @property retryAfterMillis after so many milliseconds, if that is known.
     */
    class Unavailable internal constructor(
        code: String,
        detail: String,
        advice: String? = null,
        val retryAfterMillis: Long? = null,
        cause: Throwable? = null,
    ) : SymbolonException(code, detail, advice, cause)

    /** A fault in this library, or in a server. The client can still be used. */
    class Bug internal constructor(
        code: String,
        detail: String,
        advice: String? = null,
        cause: Throwable? = null,
    ) : SymbolonException(code, detail, advice, cause)
}

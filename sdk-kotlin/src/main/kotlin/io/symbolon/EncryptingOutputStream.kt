package io.symbolon

import java.io.OutputStream

/**
 * Encrypts what is written to it. Closing it ends the message and closes what lies below.
 *
 * `use` closes it too when its block throws, and then what was written until there becomes a whole message: where that
 * matters, call [abort] in the block.
 */
abstract class EncryptingOutputStream internal constructor() : OutputStream() {
    /** Closes what lies below, and leaves the message without its end: whoever reads it is told that it is cut. */
    abstract fun abort()
}

package io.symbolon.internal

import io.symbolon.ffi.preambleMissing
import java.io.InputStream

/** The start of a ciphertext, which is all that its key is asked for with. The native side knows how long it is. */
internal class Head {
    var bytes = ByteArray(0)
        private set
    private var missing = missing()

    val isWhole: Boolean
        get() = missing == 0

    /** Takes what belongs to it, and gives the rest. */
    fun take(piece: ByteArray): ByteArray {
        var rest = piece
        while (!isWhole && rest.isNotEmpty()) {
            val taken = minOf(missing, rest.size)
            bytes += rest.copyOf(taken)
            rest = rest.copyOfRange(taken, rest.size)
            missing = missing()
        }
        return rest
    }

    /** Reads it from a stream, and no byte more. Where the stream ends before, so does the head. */
    fun readFrom(source: InputStream) {
        while (!isWhole) {
            val buffer = ByteArray(missing)
            val count = source.read(buffer)
            if (count < 0) return
            take(buffer.copyOf(count))
        }
    }

    private fun missing() = crossing { preambleMissing(bytes) }.toInt()
}

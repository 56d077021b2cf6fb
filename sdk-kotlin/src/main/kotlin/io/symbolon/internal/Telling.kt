package io.symbolon.internal

import io.symbolon.ffi.Progress

/** Runs work on a file that tells its progress; what the caller's function throws ends the work, and is thrown here. */
internal suspend fun telling(
    progress: ((Long) -> Unit)?,
    work: suspend (Progress?) -> Long,
): Long {
    val told = progress?.let(::Told)
    return try {
        work(told)
    } catch (failure: Exception) {
        throw told?.thrown ?: failure
    }
}

private class Told(
    private val progress: (Long) -> Unit,
) : Progress {
    @Volatile
    var thrown: Throwable? = null
        private set

    override fun told(written: ULong): Boolean =
        try {
            progress(written.toLong())
            true
        } catch (failure: Throwable) {
            thrown = failure
            false
        }
}

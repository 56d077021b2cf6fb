package io.symbolon.internal

import kotlinx.coroutines.runBlocking
import java.util.concurrent.CancellationException

/** Waits for an operation. A thread that is interrupted cancels it, and stays interrupted. */
internal fun <T> blocking(operation: suspend () -> T): T =
    try {
        runBlocking { operation() }
    } catch (interrupted: InterruptedException) {
        Thread.currentThread().interrupt()
        throw CancellationException("interrupted").apply { initCause(interrupted) }
    }

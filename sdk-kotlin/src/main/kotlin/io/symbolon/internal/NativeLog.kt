package io.symbolon.internal

import io.symbolon.ffi.LogLevel
import io.symbolon.ffi.LogSink
import io.symbolon.ffi.logTo
import java.util.logging.Level
import java.util.logging.LogRecord
import java.util.logging.Logger

/** The native side's log, in the platform's: logger `io.symbolon`. */
internal object NativeLog : LogSink {
    private val logger: Logger = Logger.getLogger("io.symbolon")

    private val attached: Boolean by lazy { crossing { logTo(this, threshold()) } }

    /** From the first client on; the level is the one that the logger has then. */
    fun attach() {
        attached
    }

    override fun line(
        level: LogLevel,
        target: String,
        text: String,
    ) {
        try {
            val record = LogRecord(level.shown(), text)
            record.loggerName = logger.name
            record.sourceClassName = target
            logger.log(record)
        } catch (_: Throwable) {
            // A handler that throws has nothing to do with the operation that logs.
        }
    }

    private fun threshold(): LogLevel = LogLevel.values().lastOrNull { logger.isLoggable(it.shown()) } ?: LogLevel.ERROR

    private fun LogLevel.shown(): Level =
        when (this) {
            LogLevel.ERROR -> Level.SEVERE
            LogLevel.WARNING -> Level.WARNING
            LogLevel.INFO -> Level.INFO
            LogLevel.DEBUG -> Level.FINE
            LogLevel.TRACE -> Level.FINEST
        }
}

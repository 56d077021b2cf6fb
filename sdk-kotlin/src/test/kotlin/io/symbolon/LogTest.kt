package io.symbolon

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.extension.ExtendWith
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.logging.Handler
import java.util.logging.LogRecord
import java.util.logging.Logger
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertTrue

@ExtendWith(WithDeployment::class)
class LogTest {
    private val records = ConcurrentLinkedQueue<String>()
    private val handler =
        object : Handler() {
            override fun publish(record: LogRecord) {
                records += "${record.level}: ${record.message}"
                error("a handler that throws")
            }

            override fun flush() = Unit

            override fun close() = Unit
        }

    /** A deployment of its own: the others need all their managers. */
    @Test
    fun `a manager that is down is a note, and in the log`() {
        val logger = Logger.getLogger("io.symbolon").apply { addHandler(handler) }
        Deployment().use { deployment ->
            deployment.cli("key", "create", "notes")
            Symbolon.fromProfile(deployment.profile).use { symbolon ->
                deployment.stop("kfm-1")
                val text = "text".toByteArray()
                repeat(3) {
                    assertContentEquals(text, runBlocking { symbolon.decrypt(symbolon.encrypt("notes", text)) })
                }
                assertTrue(symbolon.takeNotices().any { "kfm-1" in it })
            }
        }
        logger.removeHandler(handler)
        assertTrue(records.any { it.startsWith("WARNING") && "kfm-1" in it }, "$records")
    }
}

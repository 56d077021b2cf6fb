package io.symbolon

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.extension.ExtendWith
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.TimeUnit
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** A virtual machine that ends while the native side works, waits, or calls back. */
@ExtendWith(WithDeployment::class)
class ShutdownTest(
    private val deployment: Deployment,
) {
    private val ends = mapOf("return" to 0, "exit" to 3, "exit-and-close" to 4)

    /** A virtual machine of its own that runs the program of `shutdown`. */
    private inner class Program(
        work: String,
        end: String,
        profile: File,
    ) : AutoCloseable {
        val folder =
            deployment.work.resolve("shutdown-$work-$end").apply {
                mkdir()
                resolve("plain").writeBytes(ByteArray(PLAIN))
            }
        private val errors = folder.resolve("errors")
        private val java = File(System.getProperty("java.home"), "bin/java").path
        private val process =
            ProcessBuilder(
                listOf(java, "-cp", System.getProperty("java.class.path"), "io.symbolon.shutdown.ProgramKt") +
                    listOf(work, end, profile.path, folder.path),
            ).directory(folder).redirectError(errors).start()
        private val output = process.inputStream.bufferedReader()

        fun isInTheMiddle() = assertEquals("in the middle", output.readLine(), errors.readText())

        /** Tells it to end: it does so at once, by itself, and nothing is broken. */
        fun endsWith(code: Int) {
            process.outputStream.use { it.write('\n'.code) }
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "it doesn't end")
            assertEquals(code, process.exitValue(), errors.readText())
            assertTrue("panicked" !in errors.readText() && "fatal error" !in errors.readText(), errors.readText())
            assertEquals(emptyList(), folder.list()!!.filter { it.startsWith("hs_err") })
        }

        override fun close() {
            process.destroyForcibly()
        }
    }

    private companion object {
        /** So many bytes that their encryption is told often. */
        const val PLAIN = 50 shl 20
    }

    private fun each(test: (end: String, code: Int) -> Unit): List<DynamicTest> =
        ends.map { (end, code) -> dynamicTest(end) { test(end, code) } }

    @TestFactory
    fun `while calls wait for an answer`() =
        each { end, code ->
            ServerSocket(0, 8, InetAddress.getLoopbackAddress()).use { silent ->
                val profile = deployment.directory.resolve("shutdown.toml")
                val others = deployment.profile.readLines().filterNot { it.startsWith("access-manager") }
                val line = "access-manager = \"127.0.0.1:${silent.localPort}\""
                profile.writeText((listOf(line) + others).joinToString("\n"))
                Program("call", end, profile).use { program ->
                    silent.accept().use { program.endsWith(code) }
                }
            }
        }

    @TestFactory
    fun `while a file is written, whose progress is told`() =
        each { end, code ->
            Program("file", end, deployment.profile).use { program ->
                program.isInTheMiddle()
                program.endsWith(code)
                assertEquals(setOf("plain", "errors"), program.folder.list()!!.toSet(), "nothing is left half done")
            }
        }

    @TestFactory
    fun `while a customer fragment is asked`(): List<DynamicTest> {
        Symbolon.fromProfile(deployment.profile).use { symbolon ->
            runBlocking { symbolon.keys.create("shutdown/guarded", customerFragment = true) }
        }
        return each { end, code ->
            Program("fragment", end, deployment.profile).use { program ->
                program.isInTheMiddle()
                program.endsWith(code)
            }
        }
    }
}

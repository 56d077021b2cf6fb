package io.symbolon

import io.symbolon.ffi.Client
import io.symbolon.ffi.FileTask
import io.symbolon.ffi.InternalException
import io.symbolon.ffi.Progress
import io.symbolon.ffi.Settings
import io.symbolon.internal.crossing
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.extension.ExtendWith
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.time.Duration.Companion.seconds

@ExtendWith(WithDeployment::class)
class FaultsTest(
    private val deployment: Deployment,
) {
    private val text = "text".toByteArray()

    private fun client(profile: File = deployment.profile) = Symbolon.fromProfile(profile)

    private suspend fun works(symbolon: Symbolon) =
        assertContentEquals(text, symbolon.decrypt(symbolon.encrypt("notes", text)))

    /** A profile whose access manager takes connections and never says a word. */
    private fun silent(work: suspend (Symbolon, ServerSocket) -> Unit) =
        ServerSocket(0, 8, InetAddress.getLoopbackAddress()).use { server ->
            val profile = deployment.directory.resolve("silent-${server.localPort}.toml")
            val line = "access-manager = \"127.0.0.1:${server.localPort}\"\n"
            profile.writeText(
                line +
                    deployment.profile
                        .readLines()
                        .filterNot {
                            it.startsWith("access-manager")
                        }.joinToString("\n"),
            )
            runBlocking { client(profile).use { work(it, server) } }
        }

    @Test
    fun `a closed client says so, and closing again is fine`() =
        runBlocking<Unit> {
            val symbolon = client()
            works(symbolon)
            repeat(2) { symbolon.close() }
            val calls =
                listOf<suspend () -> Any>(
                    { symbolon.encrypt("notes", text) },
                    { symbolon.decryptMany(listOf(Message(text))) },
                    { symbolon.dataKey("notes") },
                    { symbolon.keys.show("notes") },
                    { symbolon.status() },
                    { symbolon.holder },
                    { symbolon.onBehalfOf("alice") },
                )
            for (call in calls) assertEquals("closed", assertFailsWith<SymbolonException.Invalid> { call() }.code)
        }

    @Test
    fun `closing ends what is under way`() =
        silent { symbolon, server ->
            val waiting =
                runBlocking(Dispatchers.Default) {
                    asyncOutcome { symbolon.encrypt("notes", text) } to
                        server.accept()
                }
            symbolon.close()
            assertEquals("closed", assertIs<SymbolonException.Invalid>(waiting.first.await()).code)
        }

    private fun asyncOutcome(work: suspend () -> Any) =
        kotlinx.coroutines.GlobalScope.async(Dispatchers.Default) { runCatching { work() }.exceptionOrNull() }

    @Test
    fun `one who acts for somebody ends with the client, and not the other way round`() =
        runBlocking<Unit> {
            val symbolon = client()
            val alice = symbolon.onBehalfOf("alice")
            works(alice)
            alice.close()
            assertFailsWith<SymbolonException.Invalid> { works(alice) }
            works(symbolon)
            val bob = symbolon.onBehalfOf("bob")
            symbolon.close()
            assertFailsWith<SymbolonException.Invalid> { works(bob) }
            bob.close()
        }

    @Test
    fun `a cancelled coroutine ends its operation on the native side`() =
        silent { symbolon, server ->
            withContext(Dispatchers.IO) {
                val waiting = launch { symbolon.encrypt("notes", text) }
                server.accept().use { connection ->
                    waiting.cancelAndJoin()
                    connection.soTimeout = 3_000
                    while (connection.getInputStream().read() >= 0) Unit
                }
            }
        }

    @Test
    fun `time that is over cancels too`() =
        silent { symbolon, _ ->
            assertFailsWith<CancellationException> {
                withTimeout(0.2.seconds) { symbolon.encrypt("notes", text) }
            }
        }

    @Test
    fun `a deadline of one's own`() =
        silent { symbolon, server ->
            val profile = deployment.directory.resolve("silent-${server.localPort}.toml")
            Symbolon.fromProfile(profile, deadlineMillis = 200).use { hasty ->
                assertFailsWith<SymbolonException.Unavailable> { hasty.encrypt("notes", text) }
            }
            assertFailsWith<SymbolonException.Invalid> { Symbolon.fromProfile(profile, deadlineMillis = 0) }
            symbolon.close()
        }

    @Test
    fun `a panic on the native side is a bug, and the client goes on`() =
        runBlocking<Unit> {
            val settings = Settings(deployment.profile.path, null, null, emptyList())
            Client.open(settings).use { client ->
                val file = deployment.work.resolve("panic").apply { writeBytes(ByteArray(1000)) }
                // Progress can't fail by its contract: what this one throws panics where Rust calls it.
                val broken =
                    object : Progress {
                        override fun told(written: ULong): Boolean = error("thrown through Rust")
                    }
                val task = FileTask(file.path, "$file.symbolon", emptyMap(), true)
                val bug =
                    assertFailsWith<SymbolonException.Bug> { crossing { client.encryptFile("notes", task, broken) } }
                assertEquals("panicked", bug.code)
                assertEquals(false, File("$file.symbolon").exists())
                crossing { client.encryptFile("notes", task, null) }
                client.end()
            }
        }

    @Test
    fun `what panics in a call without a coroutine is a bug, too`() {
        val bug = assertFailsWith<SymbolonException.Bug> { crossing { throw InternalException("index out of bounds") } }
        assertEquals("panicked", bug.code)
    }

    @Test
    fun `values that are out of bounds`() =
        client().use { symbolon ->
            runBlocking {
                val half = "\ud83d"
                assertEquals("text", assertFailsWith<SymbolonException.Invalid> { symbolon.encrypt(half, text) }.code)
                val pairs = mapOf("half" to half)
                assertEquals(
                    "text",
                    assertFailsWith<SymbolonException.Invalid> { symbolon.encrypt("notes", text, pairs) }.code,
                )
                val many = (0..64).associate { "n$it" to "v" }
                assertEquals(
                    "context",
                    assertFailsWith<SymbolonException.Invalid> { symbolon.encrypt("notes", text, many) }.code,
                )
                for (threshold in listOf(0, -1, 65_536, Int.MAX_VALUE)) {
                    assertFailsWith<SymbolonException.Invalid> { symbolon.keys.create("x", threshold = threshold) }
                }
                assertFailsWith<SymbolonException.Invalid> { symbolon.keys.create("x", members = listOf(0, 1)) }
                assertFailsWith<SymbolonException.Invalid> { symbolon.keys.create("x", threshold = 3, of = 2) }
                for (sealed in listOf(ByteArray(0), ByteArray(10), ByteArray(5000))) {
                    assertFailsWith<SymbolonException.Integrity> { symbolon.decrypt(sealed) }
                    assertFailsWith<SymbolonException.Integrity> { symbolon.openDataKey(sealed) }
                    assertFailsWith<SymbolonException.Integrity> { Symbolon.inspect(sealed) }
                }
                works(symbolon)
            }
        }

    @Test
    fun `a profile that can't be used says why`() {
        val missing = deployment.directory.resolve("no.toml")
        assertEquals("file-missing", assertFailsWith<SymbolonException.NotFound> { client(missing) }.code)
        val wrong = deployment.directory.resolve("wrong.toml").apply { writeText("accounts = 1") }
        assertEquals("invalid", kind(assertFailsWith<SymbolonException> { client(wrong) }))
    }
}

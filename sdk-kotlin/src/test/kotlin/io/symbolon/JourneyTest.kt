package io.symbolon

import io.symbolon.SymbolonException.Denied
import io.symbolon.SymbolonException.Integrity
import io.symbolon.SymbolonException.Invalid
import io.symbolon.SymbolonException.NotFound
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.extension.ExtendWith
import java.io.File
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue

@ExtendWith(WithDeployment::class)
class JourneyTest(
    private val deployment: Deployment,
) {
    private val text = "a secret of mine".toByteArray()

    private fun asking(work: suspend (Symbolon) -> Unit) =
        runBlocking { Symbolon.fromProfile(deployment.profile).use { work(it) } }

    /** A file, whose indentation doesn't count. */
    private fun text(file: String) = File(file).readLines().joinToString("\n", transform = String::trimStart)

    @Test
    fun `the program of the README`() {
        val shown = Regex("```kotlin\n(.*?)```", RegexOption.DOT_MATCHES_ALL).find(text("README.md"))!!.groupValues[1]
        val program = text("src/test/kotlin/io/symbolon/Readme.kt")
        assertTrue(shown.trim() in program, "the README shows another program than Readme.kt")
        val environment = mapOf("SYMBOLON_PROFILE" to deployment.profile.path)
        Environment.having(environment) { runBlocking { readme(deployment.work) } }
    }

    @Test
    fun `bytes come back, bound to key and context`() =
        asking { symbolon ->
            val sealed = symbolon.encrypt("notes", text, mapOf("user" to "42"))
            assertContentEquals(text, symbolon.decrypt(sealed, mapOf("user" to "42")))
            val failure = assertFailsWith<Integrity> { symbolon.decrypt(sealed, mapOf("user" to "43")) }
            assertEquals("commitment", failure.code)
            val header = Symbolon.inspect(sealed)
            assertEquals("notes" to 1L, header.key to header.version)
            assertEquals(Suite.RISTRETTO255 to 1, header.suite to header.contextPairs)
            assertEquals(symbolon.holder, header.writer)
            assertNull(header.customerFragment)
        }

    @Test
    fun `the command line opens what Kotlin wrote, and the other way round`() =
        asking { symbolon ->
            val ours = symbolon.encrypt("notes", text, mapOf("a" to "1"))
            assertContentEquals(text, deployment.cli("decrypt", "--context", "a=1", input = ours))
            val theirs = deployment.cli("encrypt", "--key", "notes", "--context", "a=1", input = text)
            assertContentEquals(text, symbolon.decrypt(theirs, mapOf("a" to "1")))
        }

    @Test
    fun `many at once`() =
        asking { symbolon ->
            val messages = List(200) { Message("message $it".toByteArray(), mapOf("number" to "$it")) }
            val sealed = symbolon.encryptMany("notes", messages)
            val opened = symbolon.decryptMany(sealed.mapIndexed { at, one -> Message(one, messages[at].context) })
            messages.zip(opened) { message, text -> assertContentEquals(message.bytes, text) }
            assertEquals(emptyList(), symbolon.decryptMany(emptyList()))
        }

    @Test
    fun `hundreds of coroutines share one client`() =
        asking { symbolon ->
            val opened =
                runBlocking {
                    List(300) { number ->
                        async { symbolon.decrypt(symbolon.encrypt("notes", byteArrayOf(number.toByte()))) }
                    }.awaitAll()
                }
            opened.forEachIndexed { number, text -> assertContentEquals(byteArrayOf(number.toByte()), text) }
        }

    @Test
    fun `data keys seal records without asking anybody`() =
        asking { symbolon ->
            symbolon.keys.create("volumes/kotlin", purpose = Purpose.DATA_KEY)
            val made = symbolon.dataKey("volumes/kotlin", mapOf("volume" to "7"))
            assertEquals(32, made.bytes().size)
            val sealed = made.seal(text, mapOf("row" to "1"))
            val opened = symbolon.openDataKey(made.wrapped, mapOf("volume" to "7"))
            assertContentEquals(made.bytes(), opened.bytes())
            assertContentEquals(text, opened.open(sealed, mapOf("row" to "1")))
            assertFailsWith<Integrity> { opened.open(sealed, mapOf("row" to "2")) }
            assertFailsWith<Integrity> { opened.open(sealed.copyOf(sealed.size - 1), mapOf("row" to "1")) }
            assertFailsWith<Integrity> { opened.open(ByteArray(0)) }
            assertFailsWith<Integrity> { symbolon.openDataKey(made.wrapped) }
            made.close()
            assertEquals("closed", assertFailsWith<Invalid> { made.seal(text) }.code)
            opened.close()
        }

    @Test
    fun `keys are made, shown, rotated, labelled, listed`() =
        asking { symbolon ->
            val made = symbolon.keys.create("shop/orders", suite = Suite.P256, labels = mapOf("team" to "orders"))
            assertEquals(KeyState.ACTIVE, made.state)
            assertEquals(
                Suite.P256 to listOf(2, 3),
                made.versions.single().let {
                    it.suite to
                        listOf(it.threshold, it.members.size)
                },
            )
            val first = symbolon.encrypt("shop/orders", text)
            val rotated = symbolon.keys.rotate("shop/orders")
            assertEquals(listOf(2L, 1L), rotated.versions.map { it.version })
            assertNotEquals(rotated.versions[0].fingerprint, rotated.versions[1].fingerprint)
            assertContentEquals(text, symbolon.decrypt(first))
            assertEquals(2, Symbolon.inspect(symbolon.encrypt("shop/orders", text)).version)
            val labels = symbolon.keys.label("shop/orders", mapOf("team" to null, "tier" to "gold"))
            assertEquals(mapOf("tier" to "gold"), labels)
            assertEquals(listOf("shop/orders"), symbolon.keys.list(below = "shop").map { it.id })
            assertEquals(listOf("shop/orders"), symbolon.keys.list(label = "tier=gold").map { it.id })
            assertEquals(labels, symbolon.keys.show("shop/orders").labels)
        }

    @Test
    fun `keys can share a root`() =
        asking { symbolon ->
            symbolon.keys.create("tenants/first", root = KeyRoot.NewShared)
            val joined = symbolon.keys.create("tenants/second", root = KeyRoot.SharedWith("tenants/first"))
            assertTrue(joined.versions.single().shared)
            assertContentEquals(text, symbolon.decrypt(symbolon.encrypt("tenants/second", text)))
        }

    @Test
    fun `an exception says whose move it is`() =
        asking { symbolon ->
            assertEquals("key-unknown", assertFailsWith<NotFound> { symbolon.encrypt("nowhere", text) }.code)
            assertEquals("key-id", assertFailsWith<Invalid> { symbolon.encrypt("Not A Key", text) }.code)
            val cut = symbolon.encrypt("notes", text).copyOf(40)
            assertEquals("integrity", kind(assertFailsWith<SymbolonException> { symbolon.decrypt(cut) }))
            val stranger = deployment.work.resolve("stranger/profile.toml").also { it.parentFile.mkdir() }
            val account = deployment.directory.resolve("owner/account.root").path
            deployment.cli("profile", "create", stranger.path, "--account", account, "--no-passphrase")
            Symbolon.fromProfile(stranger).use { nobody ->
                assertFailsWith<Denied> { nobody.encrypt("notes", text) }
            }
        }

    @Test
    fun `servers tell how they are`() =
        asking { symbolon ->
            val status = symbolon.status()
            assertNull(status.accessManager.fault)
            assertEquals(listOf("kfm-1", "kfm-2", "kfm-3"), status.fragmentManagers.map { it.name })
            assertTrue(status.fragmentManagers.all { it.fault == null && it.timeSeconds != null })
            assertEquals(emptyList(), symbolon.takeNotices())
        }
}

/** The kind of an exception, as the scenario file has it. */
fun kind(failure: SymbolonException): String =
    when (failure) {
        is SymbolonException.Denied -> "denied"
        is SymbolonException.NotFound -> "not-found"
        is SymbolonException.Conflict -> "conflict"
        is SymbolonException.Invalid -> "invalid"
        is SymbolonException.Integrity -> "integrity"
        is SymbolonException.Unavailable -> "unavailable"
        is SymbolonException.Bug -> "bug"
    }

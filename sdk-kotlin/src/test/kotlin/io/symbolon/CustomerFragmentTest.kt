package io.symbolon

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.extension.ExtendWith
import java.io.File
import javax.crypto.spec.SecretKeySpec
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertSame
import kotlin.time.Duration.Companion.seconds

@ExtendWith(WithDeployment::class)
class CustomerFragmentTest(
    private val deployment: Deployment,
) {
    private val text = "text".toByteArray()

    /** The command line's fragment: id and secret in a file of its own. */
    private val file: File by lazy {
        val profile = deployment.directory.resolve("guarded.toml")
        if (!profile.exists()) {
            profile.writeBytes(deployment.profile.readBytes())
            deployment.run(listOf("--profile", profile.path, "customer-fragment", "create", "--plain"))
            deployment.run(listOf("--profile", profile.path, "key", "create", "kotlin/guarded", "--customer-fragment"))
        }
        val named = Regex("customer-fragments = \\[\"(.*?)\"").find(profile.readText())!!.groupValues[1]
        deployment.directory.resolve(named)
    }

    private val bytes: ByteArray by lazy {
        file
            .readText()
            .trim()
            .chunked(2)
            .map { it.toInt(16).toByte() }
            .toByteArray()
    }
    private val id get() = bytes.copyOf(16)
    private val key get() = SecretKeySpec(bytes.copyOfRange(16, 48), "HmacSHA256")

    private class Fragment(
        override val id: ByteArray,
        private val answer: suspend (ByteArray) -> ByteArray,
    ) : CustomerFragment {
        override suspend fun evaluate(message: ByteArray) = answer(message)
    }

    private fun with(fragment: CustomerFragment) =
        Symbolon.fromProfile(deployment.profile, customerFragments = listOf(fragment))

    private fun guarded(
        vararg arguments: String,
        input: ByteArray,
    ): ByteArray =
        deployment.run(listOf("--profile", deployment.directory.resolve("guarded.toml").path) + arguments, input).output

    @Test
    fun `a key of the platform makes the ciphertexts of the command line`() =
        with(CustomerFragment.of(id, key)).use { symbolon ->
            runBlocking {
                val ours = symbolon.encrypt("kotlin/guarded", text)
                assertContentEquals(text, guarded("decrypt", input = ours))
                assertContentEquals(text, symbolon.decrypt(guarded("encrypt", "--key", "kotlin/guarded", input = text)))
                assertEquals(32, Symbolon.inspect(ours).customerFragment!!.length)
            }
        }

    @Test
    fun `a callback may take its time`() {
        val mac = CustomerFragment.of(id, key)
        val slow =
            Fragment(id) { message ->
                delay(20)
                mac.evaluate(message)
            }
        with(slow).use { symbolon ->
            runBlocking {
                val sealed = symbolon.encryptMany("kotlin/guarded", List(70) { Message(text) })
                assertContentEquals(text, guarded("decrypt", input = sealed.last()))
            }
        }
    }

    @Test
    fun `what a callback throws is the cause of what the caller sees`() {
        var isBroken = true
        val boom = IllegalStateException("the key store is locked")
        val mac = CustomerFragment.of(id, key)
        with(Fragment(id) { if (isBroken) throw boom else mac.evaluate(it) }).use { symbolon ->
            runBlocking {
                val failure =
                    assertFailsWith<SymbolonException.Unavailable> { symbolon.encrypt("kotlin/guarded", text) }
                assertEquals("customer-fragment-failed", failure.code)
                assertSame(boom, failure.cause)
                isBroken = false
                assertContentEquals(text, symbolon.decrypt(symbolon.encrypt("kotlin/guarded", text)))
            }
        }
    }

    @Test
    fun `even an error of the virtual machine costs only its own operation`() {
        with(Fragment(id) { throw StackOverflowError() }).use { symbolon ->
            runBlocking {
                assertFailsWith<SymbolonException.Unavailable> { symbolon.encrypt("kotlin/guarded", text) }
                assertContentEquals(text, symbolon.decrypt(symbolon.encrypt("notes", text)))
            }
        }
    }

    @Test
    fun `an answer of a wrong length`() {
        for (length in listOf(0, 31, 33)) {
            with(Fragment(id) { ByteArray(length) }).use { symbolon ->
                runBlocking {
                    val failure =
                        assertFailsWith<SymbolonException.Invalid> { symbolon.encrypt("kotlin/guarded", text) }
                    assertEquals("customer-fragment-length", failure.code)
                }
            }
        }
    }

    @Test
    fun `a wrong fragment opens nothing`() {
        val sealed = with(CustomerFragment.of(id, key)).use { runBlocking { it.encrypt("kotlin/guarded", text) } }
        with(CustomerFragment.of(id, SecretKeySpec(ByteArray(32), "HmacSHA256"))).use { symbolon ->
            val failure = assertFailsWith<SymbolonException.Integrity> { runBlocking { symbolon.decrypt(sealed) } }
            assertEquals("commitment", failure.code)
        }
        Symbolon.fromProfile(deployment.profile).use { without ->
            assertFailsWith<SymbolonException.NotFound> { runBlocking { without.decrypt(sealed) } }
        }
    }

    @Test
    fun `an id of a wrong length`() {
        for (length in listOf(0, 15, 17)) {
            val failure =
                assertFailsWith<SymbolonException.Invalid> { with(CustomerFragment.of(ByteArray(length), key)) }
            assertEquals("customer-fragment-id", failure.code)
        }
    }

    @Test
    fun `a callback is cancelled with the operation that asks`() =
        runBlocking<Unit> {
            val (asked, cancelled) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
            val waiting =
                Fragment(id) {
                    asked.complete(Unit)
                    try {
                        awaitCancellation()
                    } catch (end: CancellationException) {
                        cancelled.complete(Unit)
                        throw end
                    }
                }
            with(waiting).use { symbolon ->
                val work = launch(Dispatchers.Default) { symbolon.encrypt("kotlin/guarded", text) }
                asked.await()
                work.cancelAndJoin()
                withTimeout(10.seconds) { cancelled.await() }
            }
        }
}

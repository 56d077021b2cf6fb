package io.symbolon

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.extension.ExtendWith
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.util.concurrent.CountDownLatch
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertSame
import kotlin.test.assertTrue

@ExtendWith(WithDeployment::class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FilesTest(
    deployment: Deployment,
) {
    private val symbolon = Symbolon.fromProfile(deployment.profile)
    private val size = 20_000_000

    @TempDir
    lateinit var folder: File

    private val plain get() = folder.resolve("plain")
    private val sealed get() = folder.resolve("sealed")
    private val opened get() = folder.resolve("opened")

    @BeforeEach
    fun write() = plain.writeBytes(ByteArray(size) { (it % 251).toByte() })

    @AfterAll
    fun close() = symbolon.close()

    private fun nothingIsLeft() = assertEquals(emptyList(), folder.list()!!.filter { it.startsWith("new") })

    @Test
    fun `there and back, with progress`() =
        runBlocking<Unit> {
            val words = mutableListOf<Long>()
            val length =
                symbolon.encryptFile(
                    "notes",
                    plain,
                    sealed,
                    progress = { synchronized(words) { words += it } },
                )
            assertEquals(sealed.length(), length)
            assertTrue(words.size > 2 && words == words.sorted(), "$words")
            assertFailsWith<SymbolonException.Conflict> { symbolon.encryptFile("notes", plain, sealed) }
            symbolon.encryptFile("notes", plain, sealed, overwrite = true)
            assertEquals(size.toLong(), symbolon.decryptFile(sealed, opened))
            assertContentEquals(plain.readBytes(), opened.readBytes())
        }

    @Test
    fun `progress that throws ends the work, and is what the caller sees`() =
        runBlocking<Unit> {
            val boom = IllegalStateException("boom")
            val target = folder.resolve("new")
            val thrown =
                assertFailsWith<IllegalStateException> {
                    symbolon.encryptFile("notes", plain, target, progress = { throw boom })
                }
            assertSame(boom, thrown)
            nothingIsLeft()
        }

    @Test
    fun `a cancelled coroutine ends the work in the middle, and leaves nothing`() =
        runBlocking<Unit> {
            val (begun, goOn) = CompletableDeferred<Unit>() to CountDownLatch(1)
            val work =
                launch(Dispatchers.Default) {
                    symbolon.encryptFile("notes", plain, folder.resolve("new")) {
                        begun.complete(Unit)
                        goOn.await()
                    }
                }
            begun.await()
            work.cancelAndJoin()
            goOn.countDown()
            // The thread that was at work still has to notice; then it gives up what it had.
            symbolon.encryptFile("notes", plain, sealed, overwrite = true)
            nothingIsLeft()
        }

    @Test
    fun `a file that isn't there, or that is no ciphertext`() =
        runBlocking<Unit> {
            val missing = folder.resolve("missing")
            assertEquals(
                "file-missing",
                assertFailsWith<SymbolonException.NotFound> { symbolon.encryptFile("notes", missing, opened) }.code,
            )
            assertFailsWith<SymbolonException.Integrity> { symbolon.decryptFile(plain, folder.resolve("new")) }
            assertFailsWith<SymbolonException.Invalid> { symbolon.encryptFile("notes", folder, folder.resolve("new")) }
            nothingIsLeft()
        }
}

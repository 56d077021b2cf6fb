package io.symbolon.conformance

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import io.symbolon.CustomerFragment
import io.symbolon.DataKey
import io.symbolon.Deployment
import io.symbolon.Environment
import io.symbolon.Finished
import io.symbolon.Key
import io.symbolon.KeyRoot
import io.symbolon.Message
import io.symbolon.Purpose
import io.symbolon.Suite
import io.symbolon.Symbolon
import io.symbolon.SymbolonException
import io.symbolon.kind
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.channels.SeekableByteChannel
import java.nio.file.Files
import java.nio.file.attribute.PosixFilePermissions
import javax.crypto.spec.SecretKeySpec
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlin.test.fail

/** Carries out the scenario's steps against a deployment of its own. */
class Runner(
    private val deployment: Deployment,
) : AutoCloseable {
    private val values =
        Values(
            mapOf("dir" to deployment.directory.path, "work" to deployment.work.path, "module" to TestToken.MODULE),
        )
    private val keys = mutableMapOf<String, DataKey>()
    private val lasting = mapOf(FIRST to Symbolon.fromProfile(deployment.profile))
    private val clients = lasting.toMutableMap()

    /** Runs the steps of a case; the clients that it opened end with it. */
    fun run(steps: JsonNode) {
        try {
            steps.forEach(::step)
        } finally {
            (clients.values - lasting.values.toSet()).forEach(Symbolon::close)
            clients.clear()
            clients += lasting
        }
    }

    override fun close() = lasting.values.forEach(Symbolon::close)

    private fun step(step: JsonNode) {
        val expected = step["error"]
        if (expected == null) return runBlocking { take(step) }
        val thrown = assertFailsWith<Exception>("$step") { runBlocking { take(step) } }
        assertEquals(expected["kind"].asText() to expected["code"].asText(), said(thrown), "$step: $thrown")
    }

    /** Kind and code of what was thrown: by a stream as a cause, and by work that its own progress ended as it is. */
    private fun said(thrown: Exception): Pair<String, String> {
        if (thrown is Stopped) return "conflict" to "cancelled"
        val failure = thrown as? SymbolonException ?: thrown.cause as? SymbolonException ?: throw thrown
        return kind(failure) to failure.code
    }

    private suspend fun take(step: JsonNode) {
        when (val name = step["do"].asText()) {
            "client" -> open(step)
            "client-from-environment" -> openFromEnvironment(step)
            "close" -> client(step).close()
            "notices" -> notices(step)
            "encrypt" -> save(step, client(step).encrypt(text(step, "key"), bytes(step, "plaintext"), context(step)))
            "decrypt" -> expect(step, client(step).decrypt(bytes(step, "sealed"), context(step)))
            "encrypt-many" -> encryptMany(step)
            "decrypt-many" -> decryptMany(step)
            "encrypt-stream" -> encryptStream(step)
            "decrypt-stream" -> decryptStream(step)
            "seek" -> seek(step)
            "encrypt-file", "decrypt-file" -> file(step)
            "write" -> write(work(step, "name"), bytes(step, "content"))
            "append" -> work(step, "name").appendBytes(bytes(step, "content"))
            "absent" -> assertFalse(work(step, "name").exists(), "$step")
            "data-key" -> client(step).dataKey(text(step, "key"), context(step)).let { keep(step, it, it.wrapped) }
            "open-data-key" -> openDataKey(step)
            "seal-record" -> save(step, keys.getValue(text(step, "with")).seal(bytes(step, "plaintext"), context(step)))
            "open-record" -> expect(step, keys.getValue(text(step, "with")).open(bytes(step, "sealed"), context(step)))
            "create-key" -> expect(step, create(step))
            "rotate-key" -> expect(step, client(step).keys.rotate(text(step, "key")))
            "show-key" -> expect(step, client(step).keys.show(text(step, "key")))
            "list-keys" -> list(step)
            "label-key" -> label(step)
            "inspect" -> inspect(step)
            "differ" -> assertFalse(bytes(step["values"][0]).contentEquals(bytes(step["values"][1])), "$step")
            "same" -> assertContentEquals(bytes(step["values"][1]), bytes(step["values"][0]), "$step")
            "cancel" -> cancel(step["step"])
            "cli" -> cli(step, step["passphrase-file"]?.let { text(it) })
            "owner" -> cli(step, deployment.directory.resolve("owner/passphrase").path)
            "folder" -> File(text(step, "path")).mkdirs()
            "stop" -> step["roles"].forEach { deployment.stop(it.asText()) }
            "start" -> start(step)
            "pause" -> step["roles"].forEach { deployment.signal(it.asText(), "STOP") }
            "resume" -> step["roles"].forEach { deployment.signal(it.asText(), "CONT") }
            else -> fail("a step that nobody knows here: $name")
        }
    }

    private fun start(step: JsonNode) =
        step["roles"].forEach {
            deployment.start(it.asText(), step["lying"]?.asBoolean() ?: false, step["clock"]?.asText())
        }

    private fun notices(step: JsonNode) {
        val notices = client(step).takeNotices()
        step["expect"].forEach { word -> assertTrue(notices.any { word.asText() in it }, "$word: $notices") }
    }

    private fun client(step: JsonNode): Symbolon = clients.getValue(step["as"]?.asText() ?: FIRST)

    private fun text(value: JsonNode): String = values.text(value)

    private fun text(
        step: JsonNode,
        field: String,
    ): String = values.text(step[field])

    private fun bytes(value: JsonNode): ByteArray = values.bytes(value)

    private fun bytes(
        step: JsonNode,
        field: String,
    ): ByteArray = values.bytes(step[field])

    private fun context(step: JsonNode): Map<String, String> = values.context(step["context"])

    private fun work(
        step: JsonNode,
        field: String,
    ): File = deployment.work.resolve(text(step, field))

    private fun save(
        step: JsonNode,
        result: ByteArray,
    ) {
        step["save"]?.let { values.saved[it.asText()] = result }
    }

    private fun expect(
        step: JsonNode,
        result: ByteArray,
    ) {
        save(step, result)
        step["expect"]?.let { assertContentEquals(bytes(it), result, "$step") }
    }

    private fun open(step: JsonNode) {
        val profile = step["profile"]?.let { File(text(it)) } ?: deployment.profile
        val fragments = listOfNotNull(step["callback"]?.let(::callback))
        val passphrase = step["passphrase"]?.let { text(it).toCharArray() }
        val client = Symbolon.fromProfile(profile, passphrase, step["deadline-ms"]?.asLong(), fragments)
        clients[step["name"].asText()] = acting(step, client)
    }

    private fun openFromEnvironment(step: JsonNode) {
        val client = Environment.having(values.texts(step["environment"])) { Symbolon.fromEnvironment() }
        clients[step["name"].asText()] = acting(step, client)
    }

    private fun acting(
        step: JsonNode,
        client: Symbolon,
    ): Symbolon = step["on-behalf-of"]?.let { client.onBehalfOf(text(it)) } ?: client

    private fun callback(about: JsonNode): CustomerFragment {
        val content =
            File(text(about, "file"))
                .readText()
                .trim()
                .chunked(2)
                .map { it.toInt(16).toByte() }
                .toByteArray()
        val secret = SecretKeySpec(content.copyOfRange(16, content.size), "HmacSHA256")
        val honest = CustomerFragment.of(content.copyOf(16), secret)
        return when (about["fault"]?.asText()) {
            null -> honest
            "throws" -> Faulty(honest) { error("this callback throws") }
            "length" -> Faulty(honest) { ByteArray(31) }
            else -> fail("a fault that nobody knows here: $about")
        }
    }

    private class Faulty(
        honest: CustomerFragment,
        private val answer: () -> ByteArray,
    ) : CustomerFragment {
        override val id = honest.id

        override suspend fun evaluate(message: ByteArray) = answer()
    }

    private fun repeated(step: JsonNode): List<JsonNode> {
        val messages = step["messages"].toList()
        return List(step["times"]?.asInt() ?: 1) { messages }.flatten()
    }

    private suspend fun encryptMany(step: JsonNode) {
        val messages = repeated(step).map { Message(bytes(it, "plaintext"), context(it)) }
        val sealed = client(step).encryptMany(text(step, "key"), messages)
        assertEquals(messages.size, sealed.size)
        step["save"]?.forEachIndexed { at, name -> values.saved[name.asText()] = sealed[at] }
    }

    private suspend fun decryptMany(step: JsonNode) {
        val opened = client(step).decryptMany(repeated(step).map { Message(bytes(it, "sealed"), context(it)) })
        val expected = step["expect"]?.map(::bytes) ?: return
        opened.forEachIndexed { at, text -> assertContentEquals(expected[at % expected.size], text, "$step") }
    }

    /** Carries out the steps of `meanwhile` once so many bytes have gone through. */
    private inner class Meanwhile(
        private val about: JsonNode?,
    ) {
        private var isDone = about == null

        suspend fun passed(count: Int) {
            if (isDone || count < about!!["after"].asInt()) return
            isDone = true
            about["steps"].forEach { take(it) }
        }
    }

    private suspend fun encryptStream(step: JsonNode) {
        val (plaintext, pieces) = bytes(step, "plaintext") to (step["pieces"]?.asInt() ?: 1000)
        val (sealed, meanwhile) = ByteArrayOutputStream() to Meanwhile(step["meanwhile"])
        client(step).encryptTo(text(step, "key"), sealed, context(step)).use { out ->
            for (at in plaintext.indices step pieces) {
                out.write(plaintext, at, minOf(pieces, plaintext.size - at))
                meanwhile.passed(at + pieces)
            }
        }
        save(step, sealed.toByteArray())
    }

    private suspend fun decryptStream(step: JsonNode) {
        val (opened, meanwhile) = ByteArrayOutputStream() to Meanwhile(step["meanwhile"])
        val buffer = ByteArray(step["pieces"]?.asInt() ?: 1000)
        client(step).decryptFrom(ByteArrayInputStream(bytes(step, "sealed")), context(step)).use { source ->
            while (true) {
                val count = source.read(buffer)
                if (count < 0) break
                opened.write(buffer, 0, count)
                meanwhile.passed(opened.size())
            }
        }
        expect(step, opened.toByteArray())
    }

    private suspend fun seek(step: JsonNode) {
        val file = deployment.work.resolve("to-seek").apply { writeBytes(bytes(step, "sealed")) }
        try {
            client(step).open(file, context(step)).use { channel -> step["reads"]?.forEach { read(channel, it, step) } }
        } finally {
            file.delete()
        }
    }

    private fun read(
        channel: SeekableByteChannel,
        read: JsonNode,
        step: JsonNode,
    ) {
        val from = mapOf("start" to 0, "current" to channel.position(), "end" to channel.size())
        val position = from.getValue(read[0].asText()).toLong() + read[1].asLong()
        channel.position(position)
        assertEquals(read[3].asLong(), position, "$read")
        val buffer = ByteBuffer.allocate(read[2].asInt())
        val count = maxOf(channel.read(buffer), 0)
        assertEquals(read[4].asInt(), count, "$read")
        val expected = bytes(step, "plaintext")
        val start = minOf(position, expected.size.toLong()).toInt()
        assertContentEquals(expected.copyOfRange(start, start + count), buffer.array().copyOf(count), "$read")
    }

    /** What a progress callback throws where a step says `stop-at`: the SDK's way to end the work. */
    private class Stopped : Exception("stopped")

    private suspend fun file(step: JsonNode) {
        val stopAt = step["stop-at"]?.asLong()
        val progress = stopAt?.let { end -> { written: Long -> if (written >= end) throw Stopped() } }
        val overwrite = step["overwrite"]?.asBoolean() ?: false
        val (from, to) = work(step, "from") to work(step, "to")
        if (step["do"].asText() == "encrypt-file") {
            client(step).encryptFile(text(step, "key"), from, to, context(step), overwrite, progress)
        } else {
            client(step).decryptFile(from, to, context(step), overwrite, progress)
        }
    }

    private suspend fun openDataKey(step: JsonNode) {
        val key = client(step).openDataKey(bytes(step, "wrapped"), context(step))
        keep(step, key, key.wrapped)
        step["same-as"]?.let { assertContentEquals(keys.getValue(it.asText()).bytes(), key.bytes(), "$step") }
    }

    private fun keep(
        step: JsonNode,
        key: DataKey,
        wrapped: ByteArray,
    ) {
        save(step, wrapped)
        step["save-key"]?.let { keys[it.asText()] = key }
    }

    private suspend fun create(step: JsonNode): Key =
        client(step).keys.create(
            id = text(step, "key"),
            threshold = step["threshold"]?.asInt() ?: 2,
            of = step["of"]?.asInt() ?: 3,
            suite = if (step["suite"]?.asText() == "p256") Suite.P256 else Suite.RISTRETTO255,
            purpose =
                step["purpose"]?.let { Purpose.valueOf(it.asText().uppercase().replace('-', '_')) } ?: Purpose.DATA,
            customerFragment = step["customer-fragment"]?.asBoolean() ?: false,
            root = root(step),
            labels = values.texts(step["labels"]),
        )

    private fun root(step: JsonNode): KeyRoot =
        when {
            step.has("on") -> KeyRoot.SharedWith(text(step, "on"))
            step["shared"]?.asBoolean() == true -> KeyRoot.NewShared
            else -> KeyRoot.Dedicated
        }

    private fun expect(
        step: JsonNode,
        key: Key,
    ) {
        val newest = key.versions.first()
        val shown =
            mapOf(
                "version" to newest.version,
                "state" to key.state.name.lowercase(),
                "suite" to newest.suite.name.lowercase(),
                "threshold" to newest.threshold,
                "of" to newest.members.size,
                "purpose" to word(newest.purpose),
                "customer-fragment" to newest.customerFragment,
                "shared" to newest.shared,
                "labels" to key.labels,
            )
        step["expect"]?.let { expect(it, shown) }
    }

    /** `expect` names some fields, whose values are these. */
    private fun expect(
        expected: JsonNode,
        shown: Map<String, Any>,
    ) {
        val actual = JSON.readTree(JSON.writeValueAsBytes(shown))
        expected.properties().forEach { (name, value) -> assertEquals(value, actual[name], name) }
    }

    private suspend fun list(step: JsonNode) {
        val ids = client(step).keys.list(below = step["below"]?.let { text(it) }).map { it.id }
        step["expect"]?.let { expected -> assertEquals(expected.map { text(it) }, ids) }
    }

    private suspend fun label(step: JsonNode) {
        val removed = step["remove"]?.associate { text(it) to null }.orEmpty()
        val labels = client(step).keys.label(text(step, "key"), values.texts(step["set"]) + removed)
        step["expect"]?.let { assertEquals(values.texts(it), labels) }
    }

    private fun inspect(step: JsonNode) {
        val header = Symbolon.inspect(bytes(step, "sealed"))
        val shown =
            mapOf(
                "key" to header.key,
                "version" to header.version,
                "suite" to
                    mapOf(
                        Suite.RISTRETTO255 to "ristretto255-SHA512",
                        Suite.P256 to "P256-SHA256",
                    ).getValue(header.suite),
                "purpose" to word(header.purpose),
                "customer-fragment" to (header.customerFragment != null),
                "context-pairs" to header.contextPairs,
                "chunk" to header.chunkBytes,
            )
        step["expect"]?.let { expect(it, shown) }
    }

    private fun word(purpose: Purpose) = purpose.name.lowercase().replace('_', '-')

    private fun cancel(step: JsonNode) =
        runBlocking {
            val work = async(Dispatchers.Default) { take(step) }
            delay(WHILE_IT_WAITS)
            work.cancel()
            assertFailsWith<CancellationException>("$step") { work.await() }
            Unit
        }

    private fun cli(
        step: JsonNode,
        passphraseFile: String?,
    ) {
        val json = if (step.has("save-json")) listOf("--json") else emptyList()
        val profile = step["profile"]?.let { text(it) } ?: deployment.profile.path
        val passphrase = passphraseFile?.let { listOf("--passphrase-file", it) }.orEmpty()
        val arguments = json + listOf("--profile", profile) + passphrase + step["args"].map { text(it) }
        val finished = deployment.run(arguments, step["stdin"]?.let(::bytes) ?: ByteArray(0))
        assertEquals(step["code"]?.asInt() ?: 0, finished.code, "$step: ${finished.errors}")
        save(step, finished.output)
        step["save-json"]?.let { saveFields(it, finished) }
    }

    private fun saveFields(
        fields: JsonNode,
        finished: Finished,
    ) {
        val answer = JSON.readTree(finished.output)
        fields.properties().forEach { (name, field) ->
            values.saved[name] =
                answer[field.asText()].asText().toByteArray()
        }
    }

    /** A file that only its owner reads: secret ones are refused otherwise. */
    private fun write(
        file: File,
        content: ByteArray,
    ) {
        file.writeBytes(content)
        Files.setPosixFilePermissions(file.toPath(), PosixFilePermissions.fromString("rw-------"))
    }

    companion object {
        private const val FIRST = "first"
        private const val WHILE_IT_WAITS = 300L
        private val JSON = ObjectMapper()
    }
}

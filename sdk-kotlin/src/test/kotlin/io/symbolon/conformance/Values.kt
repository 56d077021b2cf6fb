package io.symbolon.conformance

import com.fasterxml.jackson.databind.JsonNode
import java.io.ByteArrayOutputStream
import java.io.File

/** The project's root folder. */
val ROOT: File = File("..").canonicalFile

/** What the scenario's values mean: texts, bytes, contexts. */
class Values(
    private val folders: Map<String, String>,
) {
    /** What steps have saved. */
    val saved = mutableMapOf<String, ByteArray>()

    fun text(value: JsonNode): String {
        if (value.isObject) return text(value["repeat"]).repeat(value["times"].asInt())
        return Regex("\\{([^}]*)}").replace(value.asText()) { named(it.groupValues[1]) }
    }

    private fun named(name: String): String =
        folders[name] ?: saved[name]?.decodeToString() ?: error("nothing is called {$name}")

    fun bytes(value: JsonNode): ByteArray =
        when {
            value.isTextual -> {
                saved.getValue(value.asText().removePrefix("$"))
            }

            value.has("text") -> {
                text(value["text"]).toByteArray()
            }

            value.has("hex") -> {
                value["hex"]
                    .asText()
                    .chunked(2)
                    .map { it.toInt(16).toByte() }
                    .toByteArray()
            }

            value.has("pattern") -> {
                pattern(value["pattern"].asInt())
            }

            value.has("file") -> {
                ROOT.resolve(text(value["file"])).readBytes()
            }

            value.has("work") -> {
                File(folders.getValue("work"), text(value["work"])).readBytes()
            }

            value.has("slice") -> {
                slice(bytes(value["of"]), value["slice"])
            }

            value.has("flip") -> {
                flip(bytes(value["of"]), value["flip"].asInt())
            }

            value.has("join") -> {
                join(value["join"].map(::bytes))
            }

            else -> {
                error("no bytes: $value")
            }
        }

    fun context(value: JsonNode?): Map<String, String> =
        when {
            value == null -> emptyMap()
            value["pairs"]?.isInt == true -> (0 until value["pairs"].asInt()).associate { "n$it" to "v" }
            else -> texts(value)
        }

    /** An object of texts. */
    fun texts(value: JsonNode?): Map<String, String> =
        value?.properties()?.associate { it.key to text(it.value) }.orEmpty()

    private fun slice(
        bytes: ByteArray,
        range: JsonNode,
    ): ByteArray {
        val to = if (range[1].isNull) bytes.size else offset(bytes, range[1].asInt())
        return bytes.copyOfRange(offset(bytes, range[0].asInt()), to)
    }

    private fun flip(
        bytes: ByteArray,
        at: Int,
    ): ByteArray = bytes.copyOf().also { it[offset(it, at)] = (it[offset(it, at)].toInt() xor 1).toByte() }

    private fun offset(
        bytes: ByteArray,
        at: Int,
    ) = if (at < 0) bytes.size + at else at

    private fun join(parts: List<ByteArray>) =
        ByteArrayOutputStream().also { all -> parts.forEach(all::write) }.toByteArray()
}

/** `length` bytes; byte `i` is `i mod 251`. */
fun pattern(length: Int) = ByteArray(length) { (it % 251).toByte() }

package io.symbolon.conformance

import java.io.File
import java.nio.file.Files

/** A token in software, in a folder of its own. */
class TestToken : AutoCloseable {
    private val folder = Files.createTempDirectory("symbolon-token").toFile()

    /** What its module needs in the environment. */
    val environment: Map<String, String>

    init {
        val configuration = folder.resolve("softhsm2.conf")
        val tokens = folder.resolve("tokens").apply { mkdir() }
        configuration.writeText("directories.tokendir = $tokens\nlog.level = ERROR\n")
        environment = mapOf("SOFTHSM2_CONF" to configuration.path)
        val token = listOf("--init-token", "--free", "--label", "symbolon test")
        val pins = listOf("--pin", "the-pin-of-a-test-token", "--so-pin", "officer-of-a-test-token")
        val tool = ProcessBuilder(listOf("softhsm2-util", "--module", MODULE) + token + pins)
        tool.environment() += environment
        check(tool.redirectOutput(File("/dev/null")).start().waitFor() == 0) { "the token can't be made" }
    }

    override fun close() {
        folder.deleteRecursively()
    }

    companion object {
        const val MODULE = "/usr/lib/softhsm/libsofthsm2.so"
    }
}

package io.symbolon

import com.sun.jna.Library
import com.sun.jna.Native
import org.junit.jupiter.api.extension.ExtensionContext
import org.junit.jupiter.api.extension.ParameterContext
import org.junit.jupiter.api.extension.ParameterResolver
import java.io.File
import java.nio.file.Files
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** What a program printed, and how it ended. */
class Finished(
    val code: Int,
    val output: ByteArray,
    val errors: String,
)

/** A real deployment on this machine: an access manager and three fragment managers, each a process of its own. */
class Deployment(
    private val environment: Map<String, String> = emptyMap(),
) : AutoCloseable {
    val directory: File = Files.createTempDirectory("symbolon-kotlin").toFile()
    val work: File = Files.createTempDirectory("symbolon-kotlin-work").toFile()
    val profile = directory.resolve("profile.toml")
    private val roles = mutableMapOf<String, Role>()

    init {
        val prepared = run(listOf("dev", "--prepare", "--directory", directory.path))
        check(prepared.code == 0) { "it can't be prepared: ${prepared.errors}" }
        ROLES.forEach(::start)
    }

    /** `symbolon --profile P ARGUMENTS`, as the first holder, who may do everything. */
    fun cli(
        vararg arguments: String,
        input: ByteArray = ByteArray(0),
    ): ByteArray {
        val finished = run(listOf("--profile", profile.path) + arguments, input)
        check(finished.code == 0) { "symbolon ${arguments.joinToString(" ")}: ${finished.errors}" }
        return finished.output
    }

    /** `symbolon ARGUMENTS` in the folder for work. */
    fun run(
        arguments: List<String>,
        input: ByteArray = ByteArray(0),
    ): Finished {
        val process =
            ProcessBuilder(listOf(program("symbolon")) + arguments)
                .directory(work)
                .apply { environment() += environment }
                .start()
        var errors = ""
        val reading = Thread { errors = process.errorStream.readBytes().decodeToString() }.apply { start() }
        val writing = Thread { process.outputStream.use { it.write(input) } }.apply { start() }
        val output = process.inputStream.readBytes()
        listOf(reading, writing).forEach(Thread::join)
        return Finished(process.waitFor(), output, errors)
    }

    /** Starts a role, or a manager that lies in its place, by a clock that may be off. */
    fun start(
        role: String,
        isLying: Boolean = false,
        clock: String? = null,
    ) {
        roles[role] = Role(role, directory, isLying, clock?.let(::anotherClock).orEmpty())
    }

    fun stop(role: String) = roles.getValue(role).close()

    fun signal(
        role: String,
        signal: String,
    ) {
        val pid = roles.getValue(role).process.pid()
        check(ProcessBuilder("kill", "-$signal", "$pid").start().waitFor() == 0)
    }

    override fun close() {
        roles.values.forEach(Role::close)
        listOf(directory, work).forEach(File::deleteRecursively)
    }

    companion object {
        val ROLES = listOf("access-manager", "kfm-1", "kfm-2", "kfm-3")

        fun program(name: String) = "${variable("SYMBOLON_BINARIES")}/$name"

        /** What is in the environment of a program whose clock is off so far. */
        private fun anotherClock(offset: String): Map<String, String> {
            val library =
                File("/usr/lib").listFiles()!!.map { it.resolve("faketime/libfaketimeMT.so.1") }.first(File::exists)
            return mapOf(
                "LD_PRELOAD" to library.path,
                "FAKETIME" to offset,
                "FAKETIME_DONT_FAKE_MONOTONIC" to "1",
            )
        }

        /** What `cargo xtask kotlin` says of the build. */
        fun variable(name: String): String =
            checkNotNull(System.getenv(name)) { "$name isn't set: run the tests by  cargo xtask kotlin" }
    }
}

private class Role(
    name: String,
    directory: File,
    isLying: Boolean,
    environment: Map<String, String>,
) : AutoCloseable {
    val process: Process

    init {
        val noun = if (name.startsWith("kfm-")) "fragment-manager" else name
        val config = directory.resolve(name).resolve("config.toml")
        val log = directory.resolve("$name.log")
        val program =
            if (isLying) {
                listOf(Deployment.program("symbolon-lying-manager"))
            } else {
                listOf(Deployment.program("symbolon"), noun)
            }
        process =
            ProcessBuilder(program + listOf("run", "--config", config.path))
                .redirectError(ProcessBuilder.Redirect.appendTo(log))
                .apply { environment() += environment }
                .start()
        val ready = CountDownLatch(1)
        Thread {
            process.inputStream.bufferedReader().forEachLine { if (" is ready on " in it) ready.countDown() }
        }.apply { isDaemon = true }.start()
        check(ready.await(1, TimeUnit.MINUTES)) { "$name is not ready: ${log.readText()}" }
    }

    override fun close() {
        process.destroy()
        process.waitFor()
    }
}

/** Gives every test class the same deployment, which has a key `notes` and ends with the tests. */
class WithDeployment : ParameterResolver {
    override fun supportsParameter(
        parameter: ParameterContext,
        context: ExtensionContext,
    ) = parameter.parameter.type == Deployment::class.java

    override fun resolveParameter(
        parameter: ParameterContext,
        context: ExtensionContext,
    ): Deployment {
        val store = context.root.getStore(ExtensionContext.Namespace.GLOBAL)
        return store.getOrComputeIfAbsent(Deployment::class.java, { Shared() }, Shared::class.java).deployment
    }

    private class Shared : AutoCloseable {
        val deployment = Deployment().apply { cli("key", "create", "notes") }

        override fun close() = deployment.close()
    }
}

/** The environment of this very process, which Java can only read. */
interface Environment : Library {
    fun setenv(
        name: String,
        value: String,
        overwrite: Int,
    ): Int

    fun unsetenv(name: String): Int

    companion object {
        private val libc: Environment = Native.load("c", Environment::class.java)

        /** Has these variables in place for a while. */
        fun <T> having(
            variables: Map<String, String>,
            work: () -> T,
        ): T {
            variables.forEach { (name, value) -> libc.setenv(name, value, 1) }
            try {
                return work()
            } finally {
                variables.keys.forEach { name -> libc.restore(name) }
            }
        }

        private fun Environment.restore(name: String) {
            val before = System.getenv(name)
            if (before == null) unsetenv(name) else setenv(name, before, 1)
        }
    }
}

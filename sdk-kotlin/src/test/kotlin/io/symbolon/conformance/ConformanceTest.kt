package io.symbolon.conformance

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import io.symbolon.Deployment
import io.symbolon.Environment
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.TestInstance
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** The scenario file that every language runs in full. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConformanceTest {
    private val scenario = ObjectMapper().readTree(ROOT.resolve("tests/conformance/scenario.json"))
    private val token = TestToken()
    private val deployment = Deployment(token.environment)
    private val runner = Runner(deployment)
    private var ran = 0

    @BeforeAll
    fun setUp() = play(scenario["setup"])

    /** The token's module is loaded into this process, and reads its environment. */
    private fun play(steps: JsonNode) = Environment.having(token.environment) { runner.run(steps) }

    @AfterAll
    fun tearDown() {
        runner.close()
        deployment.close()
        token.close()
        assertEquals(scenario["cases"].size(), ran, "cases were left out")
    }

    @TestFactory
    fun cases(): List<DynamicTest> {
        assertTrue(scenario["cases"].size() >= 60)
        return scenario["cases"].map { case ->
            dynamicTest(case["name"].asText()) {
                play(case["steps"])
                ran++
            }
        }
    }
}

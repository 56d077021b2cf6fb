package io.symbolon.internal

import io.symbolon.Key
import io.symbolon.KeyRoot
import io.symbolon.KeySummary
import io.symbolon.Keys
import io.symbolon.Purpose
import io.symbolon.Suite
import io.symbolon.ffi.KeyFilter
import io.symbolon.ffi.KeyPlan

/** Management of keys by a session. */
internal class ClientKeys(
    private val session: Session,
) : Keys {
    override suspend fun create(
        id: String,
        threshold: Int,
        of: Int,
        members: List<Int>,
        suite: Suite,
        purpose: Purpose,
        customerFragment: Boolean,
        root: KeyRoot,
        labels: Map<String, String>,
    ): Key {
        val plan =
            KeyPlan(
                key = id,
                suite = suite.crossed(),
                threshold = small(threshold),
                of = small(of),
                members = members.map(::small),
                purpose = purpose.crossed(),
                customerFragment = customerFragment,
                root = root.crossed(),
                labels = labels,
            )
        return session.asking { it.createKey(plan) }.shown()
    }

    override suspend fun rotate(id: String): Key = session.asking { it.rotateKey(id) }.shown()

    override suspend fun show(id: String): Key = session.asking { it.showKey(id) }.shown()

    override suspend fun list(
        below: String?,
        label: String?,
    ): List<KeySummary> = session.asking { it.listKeys(KeyFilter(below, label)) }.map { it.shown() }

    override suspend fun label(
        id: String,
        labels: Map<String, String?>,
    ): Map<String, String> = session.asking { it.labelKey(id, labels) }
}

/** A number of fragments or of a fragment manager. */
private fun small(number: Int): UShort {
    if (number !in 1..UShort.MAX_VALUE.toInt()) throw invalid("members", "$number is no number of fragment managers")
    return number.toUShort()
}

package io.symbolon

import io.symbolon.internal.blocking

/** [Keys] for Java, and for threads that may wait. Had by [BlockingSymbolon.keys]. */
class BlockingKeys internal constructor(
    private val keys: Keys,
) {
    /** See [Keys.create]. */
    @JvmOverloads
    fun create(
        id: String,
        threshold: Int = 2,
        of: Int = 3,
        members: List<Int> = emptyList(),
        suite: Suite = Suite.RISTRETTO255,
        purpose: Purpose = Purpose.DATA,
        customerFragment: Boolean = false,
        root: KeyRoot = KeyRoot.Dedicated,
        labels: Map<String, String> = emptyMap(),
    ): Key = blocking { keys.create(id, threshold, of, members, suite, purpose, customerFragment, root, labels) }

    /** See [Keys.create]: a key for something else than messages, and all else as it is without a word. */
    fun create(
        id: String,
        purpose: Purpose,
    ): Key = create(id, threshold = 2, purpose = purpose)

    /** See [Keys.rotate]. */
    fun rotate(id: String): Key = blocking { keys.rotate(id) }

    /** See [Keys.show]. */
    fun show(id: String): Key = blocking { keys.show(id) }

    /** See [Keys.list]. */
    @JvmOverloads
    fun list(
        below: String? = null,
        label: String? = null,
    ): List<KeySummary> = blocking { keys.list(below, label) }

    /** See [Keys.label]. */
    fun label(
        id: String,
        labels: Map<String, String?>,
    ): Map<String, String> = blocking { keys.label(id, labels) }
}

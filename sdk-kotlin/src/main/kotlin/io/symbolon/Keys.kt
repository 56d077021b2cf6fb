package io.symbolon

/** Management of the keys that the caller is granted. Had by [Symbolon.keys]. */
interface Keys {
    /**
     * Makes a key: the fragment managers make its fragments among themselves, and certify it. Nobody ever has it whole.
     *
     * @param id its id: up to eight names of lower-case letters, digits, `.`, `_` and `-`, joined by `/`.
     * @param threshold how many fragments make an operation.
     * @param of how many fragments there are.
     * @param members numbers of the fragment managers that are to hold them; any if empty.
     * @param suite its suite.
     * @param purpose what it is for.
     * @param customerFragment whether every use is to take a customer fragment too.
     * @param root which fragment set serves it.
     * @param labels labels, for people and for lists.
     */
    suspend fun create(
        id: String,
        threshold: Int = 2,
        of: Int = 3,
        members: List<Int> = emptyList(),
        suite: Suite = Suite.RISTRETTO255,
        purpose: Purpose = Purpose.DATA,
        customerFragment: Boolean = false,
        root: KeyRoot = KeyRoot.Dedicated,
        labels: Map<String, String> = emptyMap(),
    ): Key

    /** Makes a new version of a key, under which everything is encrypted from now on. Older versions still decrypt. */
    suspend fun rotate(id: String): Key

    /** A key with its versions. */
    suspend fun show(id: String): Key

    /**
     * The keys that the caller is granted.
     *
     * @param below only keys below this one.
     * @param label only keys with this label: `name`, or `name=value`.
     */
    suspend fun list(
        below: String? = null,
        label: String? = null,
    ): List<KeySummary>

    /** Sets labels, and removes those whose value is null. Gives all labels afterwards. */
    suspend fun label(
        id: String,
        labels: Map<String, String?>,
    ): Map<String, String>
}

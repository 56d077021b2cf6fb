package io.symbolon

/** The group that a key lives in. */
enum class Suite {
    /** ristretto255 with SHA-512. */
    RISTRETTO255,

    /** P-256 with SHA-256. */
    P256,
}

/** What a key is for. It serves nothing else. */
enum class Purpose {
    /** Messages. */
    DATA,

    /** Data keys, which the caller keeps wrapped. */
    DATA_KEY,

    /** Other keys. */
    WRAP,

    /** Signatures. Only keys in an HSM have it. */
    SIGN,
}

/** What can be done with a key. */
enum class KeyState {
    /** It is being made. */
    PENDING,

    /** It can be used. */
    ACTIVE,

    /** The owner disabled it. */
    DISABLED,

    /** It waits for its destruction. */
    SCHEDULED,

    /** It is gone for good. */
    DESTROYED,
}

/** Which fragment set serves a new key. */
sealed interface KeyRoot {
    /** One of its own. */
    data object Dedicated : KeyRoot

    /** A new one, which other keys can join. */
    data object NewShared : KeyRoot

    /**
     * That of another key, which was made as [NewShared]. No ceremony is needed, and suite, threshold and members are
     * the other key's.
     *
     * @property key the other key.
     */
    data class SharedWith(
        val key: String,
    ) : KeyRoot
}

/**
 * A key.
 *
 * @property id its id.
 * @property state what the access manager says of its state.
 * @property labels what the access manager says of its labels.
 * @property versions those of its versions that have a certificate, newest first. What they say is verified.
 */
data class Key(
    val id: String,
    val state: KeyState,
    val labels: Map<String, String>,
    val versions: List<KeyVersion>,
)

/**
 * A version of a key, as its certificate has it, which all its fragment managers signed.
 *
 * @property version its number, from 1 on.
 * @property suite its suite.
 * @property threshold how many fragments make an operation.
 * @property members numbers of the fragment managers that hold one.
 * @property purpose what it is for.
 * @property customerFragment whether every use takes a customer fragment too.
 * @property shared whether other keys are on the same fragment set.
 * @property createdSeconds when it was made, in Unix seconds.
 * @property fingerprint SHA-256 over the certificate, in hexadecimal: by which people compare it.
 */
data class KeyVersion(
    val version: Long,
    val suite: Suite,
    val threshold: Int,
    val members: List<Int>,
    val purpose: Purpose,
    val customerFragment: Boolean,
    val shared: Boolean,
    val createdSeconds: Long,
    val fingerprint: String,
)

/**
 * A key at a glance, as the access manager has it.
 *
 * @property id its id.
 * @property state its state.
 * @property version its newest version.
 * @property purpose what it is for.
 * @property labels its labels.
 */
data class KeySummary(
    val id: String,
    val state: KeyState,
    val version: Long,
    val purpose: Purpose,
    val labels: Map<String, String>,
)

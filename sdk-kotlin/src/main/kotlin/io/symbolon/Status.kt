package io.symbolon

/**
 * How the servers are.
 *
 * @property accessManager the access manager.
 * @property fragmentManagers each fragment manager that isn't retired.
 */
data class Status(
    val accessManager: ServerStatus,
    val fragmentManagers: List<ServerStatus>,
)

/**
 * How one server is.
 *
 * @property name its name.
 * @property fault why it can't be used; null if it can.
 * @property timeSeconds what its clock reads, in Unix seconds; null if it doesn't answer.
 * @property tookMillis how long it took to answer; null for the access manager.
 */
data class ServerStatus(
    val name: String,
    val fault: String?,
    val timeSeconds: Long?,
    val tookMillis: Long?,
)

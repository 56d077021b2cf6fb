package io.symbolon.internal

import io.symbolon.Header
import io.symbolon.Key
import io.symbolon.KeyRoot
import io.symbolon.KeyState
import io.symbolon.KeySummary
import io.symbolon.KeyVersion
import io.symbolon.Purpose
import io.symbolon.ServerStatus
import io.symbolon.Status
import io.symbolon.Suite
import io.symbolon.ffi.KeyDetails
import io.symbolon.ffi.KeyPurpose
import io.symbolon.ffi.KeySuite
import io.symbolon.ffi.VerifiedVersion
import io.symbolon.ffi.inspect
import io.symbolon.ffi.Header as FfiHeader
import io.symbolon.ffi.KeyRoot as FfiKeyRoot
import io.symbolon.ffi.KeyState as FfiKeyState
import io.symbolon.ffi.KeySummary as FfiKeySummary
import io.symbolon.ffi.ServerStatus as FfiServerStatus
import io.symbolon.ffi.Status as FfiStatus

// What the native side says, in the types that people see, and the other way round.

internal fun inspected(sealed: ByteArray): Header = crossing { inspect(sealed) }.shown()

private fun FfiHeader.shown() =
    Header(
        key = key,
        version = version.toLong(),
        suite = suite.shown(),
        purpose = purpose.shown(),
        account = account,
        writer = writer,
        createdSeconds = created.toLong(),
        customerFragment = customerFragment?.hexadecimal(),
        chunkBytes = chunk.toInt(),
        contextPairs = contextPairs.toInt(),
    )

internal fun KeyDetails.shown() = Key(id, state.shown(), labels, versions.map { it.shown() })

private fun VerifiedVersion.shown() =
    KeyVersion(
        version = version.toLong(),
        suite = suite.shown(),
        threshold = threshold.toInt(),
        members = members.map { it.toInt() },
        purpose = purpose.shown(),
        customerFragment = customerFragment,
        shared = shared,
        createdSeconds = created.toLong(),
        fingerprint = fingerprint.hexadecimal(),
    )

internal fun FfiKeySummary.shown() = KeySummary(id, state.shown(), version.toLong(), purpose.shown(), labels)

internal fun FfiStatus.shown() = Status(accessManager.shown(), fragmentManagers.map { it.shown() })

private fun FfiServerStatus.shown() = ServerStatus(name, fault, time?.toLong(), took?.toLong())

internal fun Suite.crossed() =
    when (this) {
        Suite.RISTRETTO255 -> KeySuite.RISTRETTO255
        Suite.P256 -> KeySuite.P256
    }

private fun KeySuite.shown() =
    when (this) {
        KeySuite.RISTRETTO255 -> Suite.RISTRETTO255
        KeySuite.P256 -> Suite.P256
    }

internal fun Purpose.crossed() =
    when (this) {
        Purpose.DATA -> KeyPurpose.DATA
        Purpose.DATA_KEY -> KeyPurpose.DATA_KEY
        Purpose.WRAP -> KeyPurpose.WRAP
        Purpose.SIGN -> KeyPurpose.SIGN
    }

private fun KeyPurpose.shown() =
    when (this) {
        KeyPurpose.DATA -> Purpose.DATA
        KeyPurpose.DATA_KEY -> Purpose.DATA_KEY
        KeyPurpose.WRAP -> Purpose.WRAP
        KeyPurpose.SIGN -> Purpose.SIGN
    }

internal fun KeyRoot.crossed() =
    when (this) {
        KeyRoot.Dedicated -> FfiKeyRoot.Dedicated
        KeyRoot.NewShared -> FfiKeyRoot.NewShared
        is KeyRoot.SharedWith -> FfiKeyRoot.SharedWith(key)
    }

private fun FfiKeyState.shown() =
    when (this) {
        FfiKeyState.PENDING -> KeyState.PENDING
        FfiKeyState.ACTIVE -> KeyState.ACTIVE
        FfiKeyState.DISABLED -> KeyState.DISABLED
        FfiKeyState.SCHEDULED -> KeyState.SCHEDULED
        FfiKeyState.DESTROYED -> KeyState.DESTROYED
    }

private fun ByteArray.hexadecimal() = joinToString("") { "%02x".format(it) }

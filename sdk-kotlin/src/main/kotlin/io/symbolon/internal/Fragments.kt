package io.symbolon.internal

import io.symbolon.CustomerFragment
import io.symbolon.ffi.CallbackException
import javax.crypto.Mac
import javax.crypto.SecretKey
import kotlin.coroutines.cancellation.CancellationException
import io.symbolon.ffi.CustomerFragment as FfiCustomerFragment

/** A caller's customer fragment as the native side sees it. Whatever it throws ends the one operation only. */
internal class ForeignFragment(
    private val fragment: CustomerFragment,
) : FfiCustomerFragment {
    val id: ByteArray = fragment.id

    /** What it threw last. */
    @Volatile
    var lastThrown: Throwable? = null
        private set

    override suspend fun evaluate(message: ByteArray): ByteArray =
        try {
            fragment.evaluate(message)
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (thrown: Throwable) {
            lastThrown = thrown
            throw CallbackException.Threw(thrown.toString())
        }
}

/** A customer fragment that is a key of the platform. */
internal class MacFragment(
    override val id: ByteArray,
    private val key: SecretKey,
) : CustomerFragment {
    override suspend fun evaluate(message: ByteArray): ByteArray {
        val mac = Mac.getInstance("HmacSHA256")
        mac.init(key)
        return mac.doFinal(message)
    }
}

//! The entry point that a PKCS#11 library has: everything else is reached through the list that it gives.

use kryoptic_lib::pkcs11::{CK_FUNCTION_LIST_PTR_PTR, CK_RV};

/// `C_GetFunctionList` of PKCS#11 2.40.
#[unsafe(no_mangle)]
pub extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    kryoptic_lib::fns::general::fn_get_function_list(list)
}

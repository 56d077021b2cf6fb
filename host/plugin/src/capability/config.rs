//! `config`: the settings that the manifest names, as the operator wrote them.

use crate::bindings::host::config::Host;
use crate::bindings::types::values::Value;
use crate::grants::Setting;
use crate::guest::Guest;

impl Host for Guest {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Value>> {
        Ok(self.granted.settings.get(&key).map(Value::from))
    }
}

impl From<&Setting> for Value {
    fn from(setting: &Setting) -> Self {
        match setting {
            Setting::Boolean(value) => Self::Boolean(*value),
            Setting::Integer(value) => Self::Integer(*value),
            Setting::Text(value) => Self::Text(value.clone()),
        }
    }
}

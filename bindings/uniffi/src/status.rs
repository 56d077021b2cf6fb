//! How the servers are, and what operations got around.

use crate::client::Client;
use crate::error::ClientError;
use crate::runtime::run;
use symbolon_client::ManagerStatus;

/// How the servers are.
#[derive(uniffi::Record)]
pub struct Status {
    /// The access manager.
    pub access_manager: ServerStatus,
    /// Each fragment manager that isn't retired.
    pub fragment_managers: Vec<ServerStatus>,
}

/// How one server is.
#[derive(uniffi::Record)]
pub struct ServerStatus {
    /// Its name.
    pub name: String,
    /// Why it can't be used; nothing if it can.
    pub fault: Option<String>,
    /// Its clock, Unix seconds, where it answers.
    pub time: Option<u64>,
    /// How long it took to answer, milliseconds; nothing for the access manager.
    pub took: Option<u64>,
}

#[uniffi::export]
impl Client {
    /// Asks all servers how they are.
    pub async fn status(&self) -> Result<Status, ClientError> {
        let client = self.0.clone();
        run(async move {
            let status = client.status().await;
            let health = status.access_manager;
            let access_manager = ServerStatus {
                name: "access manager".into(),
                time: health.as_ref().ok().map(|health| health.time),
                fault: health.err().map(|error| error.detail()),
                took: None,
            };
            let fragment_managers = status.managers.into_iter().map(manager).collect();
            Ok(Status { access_manager, fragment_managers })
        })
        .await
    }

    /// What operations since the last call got around, in words.
    pub fn take_notices(&self) -> Vec<String> {
        self.0.take_notices().iter().map(ToString::to_string).collect()
    }
}

fn manager(status: ManagerStatus) -> ServerStatus {
    ServerStatus {
        name: status.member.to_string(),
        time: status.status.as_ref().ok().map(|status| status.time.0),
        fault: status.status.err().map(|reason| reason.to_string()),
        took: u64::try_from(status.took.as_millis()).ok(),
    }
}

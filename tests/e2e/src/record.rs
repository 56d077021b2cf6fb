//! A manager's own log, as an auditor reads it over the network.

use std::fs;

use symbolon_audit::{Record, RecordBody};
use symbolon_encoding::from_canonical;
use symbolon_protocol::wire::{Request, Response};
use symbolon_trust::{Grant, Signed};

use crate::{Deployment, Party};

/// Records a page.
const PAGE: u64 = 500;

impl Deployment {
    /// All that a manager has written down, under the grant of the account's first person.
    pub fn records_of_manager(&self, position: usize) -> Vec<RecordBody> {
        let account = self.account();
        let auditor = Party::new(&self.identity_of_person());
        let manager = auditor
            .direct(self.manager_address(position), &account.manager(position))
            .expect("a manager that is up");
        let grant = fs::read(self.site().home("owner").join("grants/1.grant")).expect("the first grant");
        let grant: Signed<Grant> = from_canonical(&grant).expect("a grant is canonical");
        let mut records = Vec::new();
        let mut after = 0;
        loop {
            let request = Request::Log { grant: grant.clone(), after, limit: PAGE };
            let Ok(Response::Log(page)) = manager.call(request) else { panic!("a page of the log") };
            for record in &page.records {
                let record: Record = from_canonical(record).expect("a record is canonical");
                after = record.sequence + 1;
                records.push(record.body);
            }
            if after >= page.head.body().records {
                return records;
            }
        }
    }
}

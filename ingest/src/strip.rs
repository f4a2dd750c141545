//! What happens to an event before it may reach a disk: its texts become labels, its ids keyed hashes.

use std::borrow::Cow;

use crate::account;
use crate::event::{Event, Identity, Texts};
use crate::identity::Identities;
use crate::labels::Labeller;

impl Event<'_> {
    /// Labels the request from its texts (labels that the router sent come first), wipes and drops the texts, replaces
    /// raw ids by their keyed hashes and blanks account numbers in the names of models. Idempotent.
    pub fn strip(&mut self, ids: &Identities, labeller: &Labeller) {
        let mut texts = self.texts.take();
        if texts.is_some() || self.labels.is_some() {
            let empty = Texts::default();
            let labels = labeller.label(texts.as_ref().unwrap_or(&empty), self.labels.as_ref());
            self.labels = Some(labels);
        }
        if let Some(texts) = &mut texts {
            texts.wipe();
        }
        hash(&mut self.user, |id| ids.user(id));
        hash(&mut self.api_key, |id| ids.api_key(id));
        hash(&mut self.org, |id| ids.org(id));
        let of_attempts =
            self.attempts.iter_mut().flat_map(|attempt| [&mut attempt.model, &mut attempt.endpoint_id]);
        for name in of_attempts.chain([&mut self.requested_model]).flatten() {
            if let Some(blanked) = account::blanked(name) {
                *name = Cow::Owned(blanked);
            }
        }
    }
}

fn hash(identity: &mut Option<Identity<'_>>, key: impl Fn(&str) -> i64) {
    if let Some(Identity::Raw(id)) = identity {
        *identity = Some(Identity::Key(key(id)));
    }
}

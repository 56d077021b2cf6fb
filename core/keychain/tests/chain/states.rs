//! The state machine: what the tables say, and that no history of documents leads past them.

use proptest::prelude::*;
use std::collections::HashSet;
use symbolon_keychain::{
    Action, Destruction, Direction, Facts, OperationKind, PERMITTED, Root, State, System, TRANSITIONS,
    Tenant, Unwrap, Wrap,
};

const NEW: Facts = Facts { complete: false, disabled: false, destruction: Destruction::None };

/// What an action does to the facts; nothing where there is nothing for it to do.
fn act(facts: Facts, action: Action) -> Option<Facts> {
    let waiting = facts.destruction == Destruction::Waiting;
    let changed = match action {
        Action::Complete if !facts.complete => Facts { complete: true, ..facts },
        Action::Disable => Facts { disabled: true, ..facts },
        Action::Enable => Facts { disabled: false, ..facts },
        Action::Destroy if facts.destruction == Destruction::None => {
            Facts { destruction: Destruction::Waiting, ..facts }
        }
        Action::Cancel if waiting => Facts { destruction: Destruction::None, ..facts },
        Action::Expire if waiting => Facts { destruction: Destruction::Done, ..facts },
        Action::Complete | Action::Destroy | Action::Cancel | Action::Expire => return None,
    };
    (changed != facts).then_some(changed)
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    proptest::collection::vec(proptest::sample::select(Action::ALL.to_vec()), 0..40)
}

proptest! {
    #[test]
    fn every_history_takes_steps_of_the_table_only(history in actions()) {
        let mut facts = NEW;
        for action in history {
            let Some(next) = act(facts, action) else { continue };
            let (from, to) = (State::of(facts), State::of(next));
            let known = TRANSITIONS.iter().any(|step| (step.from, step.action, step.to) == (from, action, to));
            prop_assert!(known || from == to, "{from:?} {action:?} {to:?}");
            facts = next;
        }
    }

    #[test]
    fn nothing_comes_back_from_its_destruction(history in actions()) {
        let mut facts = Facts { destruction: Destruction::Done, ..NEW };
        for action in history {
            facts = act(facts, action).unwrap_or(facts);
            prop_assert_eq!(State::of(facts), State::Destroyed);
        }
    }

    #[test]
    fn the_quick_direction_never_gives(history in actions()) {
        let mut facts = NEW;
        for action in history {
            let Some(next) = act(facts, action) else { continue };
            let gives = |kind| !State::of(facts).permits(kind) && State::of(next).permits(kind);
            if action.direction() == Direction::Safe {
                prop_assert!(!gives(OperationKind::Wrap) && !gives(OperationKind::Unwrap));
            }
            facts = next;
        }
    }

    #[test]
    fn a_permit_needs_every_state_on_the_way(
        root in proptest::sample::select(State::ALL.to_vec()),
        tenant in proptest::sample::select(State::ALL.to_vec()),
        system in proptest::sample::select(State::ALL.to_vec()),
    ) {
        let chain = chain(root, tenant, system);
        let all = |kind: OperationKind, states: &[State]| states.iter().all(|state| state.permits(kind));
        let way = [root, tenant, system];
        let data = || ("vol-1".parse().unwrap(), "luks".parse().unwrap());
        let ((one, luks), (same, purpose)) = (data(), data());
        prop_assert_eq!(chain.data_permit::<Wrap>(one, luks).is_ok(), all(OperationKind::Wrap, &way));
        prop_assert_eq!(chain.data_permit::<Unwrap>(same, purpose).is_ok(), all(OperationKind::Unwrap, &way));
        prop_assert_eq!(chain.permit::<Unwrap>().is_ok(), all(OperationKind::Unwrap, &way));
        prop_assert_eq!(chain.tenant().permit::<Unwrap>().is_ok(), all(OperationKind::Unwrap, &way[..2]));
    }
}

fn chain(root: State, tenant: State, system: State) -> System {
    let account = symbolon_fragments::names::AccountId::new([1; 32]);
    let root = Root { account, key: "acme-root".parse().unwrap(), state: root };
    let tenant = Tenant { root, id: "acme".parse().unwrap(), version: 1, state: tenant };
    System::new(tenant, "acme/ceph-eu".parse().unwrap(), 1, system).unwrap()
}

#[test]
fn every_state_has_its_line() {
    let listed: Vec<State> = PERMITTED.iter().map(|(state, _)| *state).collect();
    assert_eq!(listed, State::ALL);
}

#[test]
fn every_step_of_the_table_happens() {
    let (mut seen, mut facts) = (HashSet::new(), vec![NEW]);
    let mut known = HashSet::from([NEW]);
    while let Some(from) = facts.pop() {
        for action in Action::ALL {
            let Some(to) = act(from, action) else { continue };
            seen.insert((State::of(from), action, State::of(to)));
            if known.insert(to) {
                facts.push(to);
            }
        }
    }
    for step in TRANSITIONS {
        assert!(seen.contains(&(step.from, step.action, step.to)), "{step:?}");
    }
}

#[test]
fn a_refusal_names_the_highest_key_that_stands_in_the_way() {
    let refused = chain(State::Disabled, State::Destroyed, State::Active).permit::<Unwrap>().unwrap_err();
    assert_eq!(refused.to_string(), "root key acme-root is disabled");
    let refused = chain(State::Active, State::Active, State::Scheduled).permit::<Wrap>().unwrap_err();
    assert_eq!(refused.to_string(), "system acme/ceph-eu is about to be destroyed");
}

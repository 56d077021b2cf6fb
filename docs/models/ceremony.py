#!/usr/bin/env python3
"""Model of the ceremony's life cycle: every reachable state of every configuration is checked.

    python3 ceremony.py                     all configurations, then all negative controls
    python3 ceremony.py --quick             three small configurations and all negative controls, in half a minute
    python3 ceremony.py CONFIG [RULE..]     one configuration, with the named rules broken; prints the shortest trace

All takes ten to twenty minutes on two cores; no dependencies.

The machine in core/protocol/src/ceremony takes these steps and no others; docs/ceremony.md says which function is which
step, and what the machine decides where this model leaves it open.

An *instance* is one sharing of the root scalar. Its epoch is (order serial, number); a tag, printed as primes, stands for
the hash of its certificate. Cryptography is perfect: a fragment is the fact that a member holds an instance.

A member's durable state is (newest order, {instance: SIGNED | FLIPPED | SETTLED}). `mem` is the attempt that it takes part
in, with the one-time key: gone after a crash.

Relay. Whatever was sent stays in its hands (`sigs`, `flips`, `orders`); a step may use any of it at any time or never.
That is dropping, delaying, duplicating, reordering, withholding for ever, other or truncated logs for each member.
Liars. Their signature is on every certificate and flip, but who gets to see it is the relay's choice; they can make any
attempt fail for any member, and give each member other valid bytes, so that certificates differ.
Crash. Never using `mem` again, so it needs no step of its own. Storing and sending are one step: stored but not sent is
the same as sent but withheld. One member falls back to a backup, or to an empty disk, at most once in a run.
R0 to R2 are one step, START: they leave nothing durable; nobody sends R1 before it has all R0, and nobody signs before it
has the R2 of all dealers, who sent R1 before. So when the last R0 is sent all participants are in the attempt at once.

  S1 no loss      if liars + members that lost a fragment they had flipped <= n - t (of the newest settled instance and of
                  each complete one above it), then t honest members hold one instance whose certificate can be shown
  S2 agreement    never two complete certificates for one set and epoch
  S3 erasure      a member erases below c only when all honest members of c hold c or newer, or newer is settled
  S4 no mixing    two fragments served under one label belong to one instance
  S5 secrecy      a thief of the disk and memory of t - 1 members an epoch, with the whole log, gets t shares of no instance
  L1 liveness     within the bound of S1, from every state: once the relay is fair, everybody but the liar (or one silent
                  member) is up, and the owner orders what is needed, a new epoch settles and all older fragments go
  L2 stalling     the same without an order, if nobody is silent, nothing was lost and no order is under way
"""
import multiprocessing
import sys
import time
from collections import deque, namedtuple

SIGNED, FLIPPED, SETTLED = 1, 2, 3
Order = namedtuple('Order', 'members t exempt')            # exempt: need not deal in the first step under this order
Inst = namedtuple('Inst', 'serial num tag pred order dealers')
State = namedtuple('State', 'orders m sigs flips snap lost thief')
Member = namedtuple('Member', 'serial mem held')           # held: tuple of (instance, status), oldest instance first
Config = namedtuple('Config', 'n liars first orders max_orders nums rollback thief cap generate')

BROKEN = {
    'no-flips':      'erase the old instance as soon as the new certificate is complete',
    'refusals':      'a retry has the epoch of the attempt it replaces; whoever signed that one needs a refusal of it',
    'one-slot':      'with refusals: fragments are stored by epoch, a retry\'s replaces that of the attempt it replaces',
    'sign-twice':    'a retry has the epoch of the attempt it replaces; anybody may sign both',
    'by-epoch':      'evaluations are labelled by epoch, not by certificate',
    'newest-only':   'deal only from the newest complete instance',
    'behind-silent': 'a member that lacks the newest complete instance serves nothing',
    'drop-signed':   'signing drops older fragments that are signed, not flipped; after a flip wait for all flips',
    'keep-failed':   'on settling, erase what was served, but not fragments of attempts that never completed',
    'keep-keys':     'one-time keys outlive the attempt',
    'one-more':      '(not a rule) one failure more than the bound of S1 allows',
}
broken, only = set(), None                                 # `only`: look for this invariant alone


class Violation(Exception):
    pass


def fail(text):
    if only is None or text.startswith(only):
        raise Violation(text)


class World:
    """A configuration, and the table of instances met so far."""
    def __init__(self, cfg):
        self.cfg = cfg
        self.honest = [i for i in range(cfg.n) if i not in cfg.liars]
        self.awake, self.silent = self.honest, frozenset()
        self.orders, self.inst, self.ids = [cfg.first], [], {}
        self.key, self.mask, self.members, self.t = [], [], [], []
        if not cfg.generate:
            self.id(Inst(0, 0, 0, None, 0, frozenset()))

    def order_id(self, order):
        if order not in self.orders:
            self.orders.append(order)
        return self.orders.index(order)

    def id(self, a):
        if a not in self.ids:
            c = self.ids[a] = len(self.inst)
            order = self.orders[a.order]
            self.inst.append(a)
            self.key.append((a.serial, a.num, a.tag))      # older and newer, above and below: by this
            self.mask.append(sum(bit(c, i) for i in self.honest if i in order.members))
            self.members.append(order.members)
            self.t.append(order.t)
        return self.ids[a]

    def name(self, c):
        return f'{self.inst[c].serial}.{self.inst[c].num}' + "'" * self.inst[c].tag


def bit(c, i): return 1 << (8 * c + i)
def complete(w, st, c): return st.sigs & w.mask[c] == w.mask[c]
def settled(w, st, c): return st.flips & w.mask[c] == w.mask[c]
def order_at(st, serial): return st.orders[serial - 1] if serial else 0
def failed(w, st, i): return i == w.cfg.rollback and st.lost is not None
def with_member(st, i, me): return State(st.orders, st.m[:i] + (me,) + st.m[i + 1:], *st[2:])
def held_by(st, who): return {c for i in who for c, _ in st.m[i].held}
def show(x): return ','.join(map(str, sorted(x))) if isinstance(x, frozenset) else x


def status(me, c):
    for x, s in me.held:
        if x == c:
            return s
    return 0


# ------------------------------------------------------------------------------------ the rules; None is "refused"

def learn(w, st, i, serial):
    """A newer order of the owner is stored; an attempt under an older one is left."""
    me = st.m[i]
    mem = None if me.mem is not None and w.inst[me.mem].serial < serial else me.mem
    return with_member(st, i, Member(serial, mem, me.held))


def may_sign(w, st, i, a):
    """What a member asks of its own durable state before R0 and again before signing."""
    me, unsettled = st.m[i], 0
    if a.serial < me.serial:
        return False                                       # it knows a newer order
    for c, s in me.held:
        b = w.inst[c]
        if 'refusals' in broken:
            if b.num > a.num or b.num == a.num and (s != SIGNED and 'one-slot' not in broken or not refused(w, st, c)):
                return False
        elif 'sign-twice' not in broken and (b.serial, b.num) >= (a.serial, a.num):
            return False                                   # it signs upwards only
        if s != SETTLED and b.serial == a.serial:
            unsettled += 1
            if 'drop-signed' in broken and s == FLIPPED:
                return False
    return unsettled < w.cfg.cap                           # a bounded store; a newer order makes room


def refused(w, st, c):
    """(refusals) Some member signs a refusal: a liar at will, an honest one once it can't sign c any more."""
    return any(i in w.cfg.liars and i not in w.silent or
               i in w.awake and not st.sigs & bit(c, i) and st.m[i].mem != c for i in w.members[c])


def dealers_of(w, st, serial, pred):
    """All members of the predecessor: dealing proves possession. An order may exempt some in the first step under it."""
    return w.members[pred] - (w.orders[order_at(st, serial)].exempt if w.inst[pred].serial < serial else frozenset())


def start(w, st, serial, pred, bounded=True):
    """R0, R1, R2. The predecessor is any complete instance that all dealers hold. The number is the least that all members
    will sign: gaps add nothing, and a number under which nobody signed is as good as new."""
    order, again = order_at(st, serial), {'refusals', 'sign-twice'} & broken
    members = w.orders[order].members
    if pred is None:
        dealers, num = members, 0
    else:
        dealers = dealers_of(w, st, serial, pred)
        if len(dealers) < w.t[pred] or not complete(w, st, pred):
            return None
    who = [i for i in w.awake if i in members or i in dealers]
    for i in who:
        if serial < st.m[i].serial or pred is not None and i in dealers and not status(st.m[i], pred):
            return None
        if 'newest-only' in broken and any(w.key[c] > w.key[pred] and s >= FLIPPED for c, s in st.m[i].held):
            return None
    if pred is not None:
        num = 1 + (w.inst[pred].num if again else
                   max([w.inst[c].num for c in held_by(st, who) if w.inst[c].serial == serial], default=0))
    a = Inst(serial, num, 0, pred, order, dealers)
    if bounded and num > w.cfg.nums[serial] or not all(may_sign(w, st, i, a) for i in who if i in members):
        return None
    for tag in (0, 2, 4):                                  # nonces are fresh, so is the ceremony
        c = w.id(a._replace(tag=tag))
        if not used(w, st, c) and not used(w, st, w.id(a._replace(tag=tag + 1))):
            break
        if bounded and (tag == 2 or pred is None and not again):   # a set is named by its R0: generate has no retry
            return None
    return st._replace(m=tuple(
        Member(serial, c if i in members else None, me.held) if i in who else me for i, me in enumerate(st.m)))


def used(w, st, c):
    return st.sigs & w.mask[c] or any(me and me.mem == c for me in st.m) or st.thief and c in st.thief[1]


def sign(w, st, i, c):
    """Everything verified: store fragment and certificate body, drop the one-time key; only then send the signature. It
    is the promise to hold the fragment until something above is settled."""
    me = st.m[i]
    if not may_sign(w, st, i, w.inst[c]):
        return None
    held = [(x, s) for x, s in me.held if ('drop-signed' not in broken or s != SIGNED) and
            ('one-slot' not in broken or w.inst[x].num != w.inst[c].num)] + [(c, SIGNED)]
    st = with_member(st, i, Member(me.serial, None, tuple(sorted(held, key=lambda h: w.key[h[0]]))))
    st = st._replace(sigs=st.sigs | bit(c, i))
    if complete(w, st, c):
        for x in range(len(w.inst)):
            if x != c and w.inst[x][:2] == w.inst[c][:2] and w.mask[x] and complete(w, st, x):
                fail(f'S2: {i} signs {w.name(c)}: now {w.name(x)} and {w.name(c)} both have complete certificates')
    return st


def flip(w, st, i, c):
    """The certificate is complete and stored, the fragment read back from disk: say so. From now on it is served."""
    me = st.m[i]
    if 'by-epoch' in broken and any(s >= FLIPPED and x != c and w.inst[x][:2] == w.inst[c][:2]
                                    for j in w.honest for x, s in st.m[j].held):
        fail(f'S4: {i} flips {w.name(c)}: fragments of two instances are served as one epoch')
    held = tuple((x, FLIPPED if x == c else s) for x, s in me.held)
    return with_member(st, i, Member(me.serial, me.mem, held))._replace(flips=st.flips | bit(c, i))


def settle(w, st, i, c):
    """All members' flips seen and stored: erase everything below, complete or not. (A member of c only if it holds c.)"""
    me = st.m[i]
    keep = tuple((x, SETTLED if x == c else s) for x, s in me.held if w.key[x] >= w.key[c] or
                 'keep-failed' in broken and s == SIGNED)
    if keep == me.held:
        return None
    newer = any(w.key[x] > w.key[c] and settled(w, st, x) for x in held_by(st, w.honest))
    for j in w.honest:
        if j in w.members[c] and not (newer or failed(w, st, j) or any(w.key[x] >= w.key[c] for x, _ in st.m[j].held)):
            fail(f'S3: {i} erases what is below {w.name(c)}, which {j} does not hold')
    st = with_member(st, i, Member(me.serial, me.mem, keep))
    return st._replace(lost=None) if failed(w, st, i) and w.key[c] > w.key[st.lost] else st


# ------------------------------------------------------------------------------------ faults

def restore(w, st, i, serial, held):
    """Member i falls back to an earlier durable state, or to nothing. If that loses a fragment which it had flipped, it
    counts as failed until it has settled something newer."""
    kept = [c for c, _ in held]
    lost = [c for c, s in st.m[i].held if s >= FLIPPED and c not in kept]
    return with_member(st, i, Member(serial, None, held))._replace(
        snap='used', lost=max(lost, key=lambda c: w.key[c], default=None))


def steal(w, st, i):
    """A thief takes member i's disk and memory; once an epoch dealt since then is settled everywhere, another member's."""
    me = st.m[i]
    loot = {c for c, _ in me.held} | ({me.mem} - {None})
    if 'keep-keys' in broken:
        loot |= {c for c in range(len(w.inst)) if st.sigs & bit(c, i)}
    if st.thief is None:
        return st._replace(thief=(i, frozenset(loot)))
    j, had = st.thief
    if i != j and had & loot and any(c not in had and all(status(st.m[k], c) == SETTLED for k in w.honest) for c in loot):
        fail(f'S5: the thief comes to {i}, and has the shares of {j} and {i} of {w.name(min(had & loot))}')
    return None


# ------------------------------------------------------------------------------------ all steps from a state

def steps(w, st):
    cfg, hand = w.cfg, held_by(st, w.honest)
    if len(st.orders) < cfg.max_orders:
        for o in cfg.orders:
            yield ('the owner orders: members {0}, t {1}, need not deal: {2}', *map(show, o)), \
                st._replace(orders=st.orders + (w.order_id(o),))
    preds = hand if hand or not cfg.generate else {None}
    if cfg.generate and 'refusals' in broken:
        preds = preds | {None}
    for serial in range(len(st.orders) + 1):
        for pred in preds:
            nxt = start(w, st, serial, pred)
            if nxt:
                c = next(me.mem for me in nxt.m if me and me.mem is not None)
                yield ('attempt {0} starts among {1}, dealt from {2}', w.name(c), show(w.members[c]),
                       'nothing' if pred is None else w.name(pred)), nxt
    for i in w.honest:
        me = st.m[i]
        if me.mem is not None:
            a = w.inst[me.mem]
            lied_to = cfg.liars & (w.members[me.mem] | a.dealers)
            for k in range(2 if lied_to else 1):
                c = w.id(a._replace(tag=a.tag + k))
                nxt = sign(w, st, i, c)
                if nxt:
                    yield ('{0} stores and signs {1}', i, w.name(c)), nxt
        for serial in range(me.serial + 1, len(st.orders) + 1):
            yield ('{0} learns order {1}', i, serial), learn(w, st, i, serial)
        for c in hand:
            s = status(me, c)
            if 'no-flips' in broken:
                nxt = s == SIGNED and complete(w, st, c) and settle(w, st, i, c)
                if nxt:
                    yield ('{0} sees the certificate of {1} and erases what is below', i, w.name(c)), nxt
            elif s == SIGNED and complete(w, st, c):
                yield ('{0} sees the certificate of {1} and flips', i, w.name(c)), flip(w, st, i, c)
            elif (s == FLIPPED or not s and i not in w.members[c]) and settled(w, st, c):
                nxt = settle(w, st, i, c)
                if nxt:
                    yield ('{0} sees all flips of {1} and erases what is below', i, w.name(c)), nxt
        if cfg.thief:
            nxt = steal(w, st, i)
            if nxt:
                yield ('a thief takes disk and memory of {0}', i), nxt
    if cfg.rollback is not None and st.snap != 'used':
        i, now = cfg.rollback, (st.m[cfg.rollback].serial, st.m[cfg.rollback].held)
        if st.snap is None:
            yield ('a backup of {0} is taken', i), st._replace(snap=now)
            yield ('{0} loses its disk', i), restore(w, st, i, 0, ())
        elif st.snap != now:
            yield ('{0} is restored from the backup', i), restore(w, st, i, *st.snap)


# ------------------------------------------------------------------------------------ what every state must satisfy

def check(w, st, seen):
    hand = held_by(st, w.honest)
    top = max((c for c in hand if settled(w, st, c)), key=lambda c: w.key[c], default=None)
    if top is None:
        return                                             # generate: no key is certified before its set has settled
    for silent in [w.cfg.liars] if w.cfg.liars else [frozenset()] + [frozenset([i]) for i in w.honest]:
        spare = 'one-more' in broken
        if all(sum(i in silent or failed(w, st, i) for i in w.members[c]) <= len(w.members[c]) - w.t[c] + spare
               for c in hand if w.key[c] >= w.key[top] and complete(w, st, c)):
            w.silent, w.awake = silent, [i for i in w.honest if i not in silent]
            try:
                no_loss(w, st)
                if only is None or only[0] == 'L':
                    recovers(w, st, top, seen)
            finally:
                w.silent, w.awake = frozenset(), w.honest


def provable(w, st, c, level, by_soup):
    """Without the silent: their messages were not needed, or somebody awake has stored the proof."""
    return by_soup(w, st, c) and not w.members[c] & w.silent or any(status(st.m[i], c) >= level for i in w.awake)


def no_loss(w, st):
    shown = [c for c in held_by(st, w.awake) if provable(w, st, c, FLIPPED, complete)]
    for c in shown:
        holders = [i for i in w.awake if status(st.m[i], c)]
        if 'behind-silent' in broken:
            holders = [i for i in holders if not any(
                w.key[x] > w.key[c] and i in w.members[x] and not status(st.m[i], x) for x in shown)]
        if len(holders) >= w.t[c]:
            return
    fail('S1: no instance is served by t honest members')


def recovers(w, st, top, seen):
    needs_order = w.silent or st.snap == 'used' or st.orders or \
        any(sum(s != SETTLED for _, s in me.held) >= w.cfg.cap for me in st.m if me)
    st = st._replace(m=tuple(me and me._replace(mem=None) for me in st.m), snap=None, thief=None)
    st = deliver(w, st)
    shown = tuple(sorted((c for c in held_by(st, w.awake) if provable(w, st, c, FLIPPED, complete)),
                         key=lambda c: w.key[c], reverse=True))
    case = w.silent, st.orders, tuple(st.m[i] for i in w.awake), shown, w.inst[top].order, 'refusals' in broken and st.sigs
    if case not in seen:
        seen[case] = new_epoch(w, st, shown, top)
    if not seen[case]:
        fail(f'L1: no new epoch can settle; silent: {show(w.silent) or "nobody"}')
    if seen[case] == 'ordered' and not needs_order:
        fail('L2: nothing was lost, yet no new epoch settles without an order')


def new_epoch(w, st, shown, top):
    for pred in shown:
        if attempt(w, st, len(st.orders), pred):
            return 'unordered'
    for plan in w.orders[order_at(st, len(st.orders))], w.orders[w.inst[top].order]:
        members = plan.members & frozenset(w.awake)
        for pred in shown:
            holders = frozenset(i for i in w.awake if i in w.members[pred] and status(st.m[i], pred))
            order = w.order_id(Order(members, plan.t, w.members[pred] - holders))
            if len(members) >= plan.t and len(holders) >= w.t[pred] and \
                    attempt(w, st._replace(orders=st.orders + (order,)), len(st.orders) + 1, pred):
                return 'ordered'
    return None


def attempt(w, st, serial, pred):
    """A whole attempt by the members' own rules: does it settle, and is all else erased?"""
    members = w.orders[order_at(st, serial)].members
    if (members | dealers_of(w, st, serial, pred)) - frozenset(w.awake):
        return False
    st = start(w, st, serial, pred, bounded=False)
    c = st and next(st.m[i].mem for i in members)
    for i in members:
        st = st and sign(w, st, i, c)
    if not st:
        return False
    st = deliver(w, st)
    return all(st.m[i].held == (((c, SETTLED),) if i in members else ()) for i in w.awake)


def deliver(w, st):
    """A fair relay: every order, every provable certificate and flip reaches everybody awake."""
    for i in w.awake:
        if st.m[i].serial < len(st.orders):
            st = learn(w, st, i, len(st.orders))
    old = None
    while old is not st:
        old = st
        for c in held_by(st, w.awake):
            done = provable(w, st, c, SETTLED, complete if 'no-flips' in broken else settled)
            ready = done or provable(w, st, c, FLIPPED, complete)
            for i in w.awake:
                s = status(st.m[i], c)
                if s == SIGNED and ready and 'no-flips' not in broken:
                    st = flip(w, st, i, c)
                elif done and (s in (SIGNED, FLIPPED) or not s and i not in w.members[c]):
                    st = settle(w, st, i, c) or st
    return st


def explore(cfg):
    w = World(cfg)
    held = () if cfg.generate else ((0, SETTLED),)
    m = tuple(None if i in cfg.liars else Member(0, None, held if i in cfg.first.members else ()) for i in range(cfg.n))
    sent = 0 if cfg.generate else w.mask[0]
    st = State((), m, sent, sent, None, None, None)
    came, checked, seen, queue, count, share = {st: None}, set(), {}, deque([st]), 0, {}
    try:
        while queue:
            here = st = queue.popleft()
            for label, nxt in steps(w, here):
                count += 1
                if nxt in came:
                    continue
                st = State(nxt.orders, tuple([share.setdefault(me, me) for me in nxt.m]), *nxt[2:])
                came[st] = here, label
                durable = (st.orders, *[me and me._replace(mem=None) for me in st.m], *st[2:4], st.lost, st.snap == 'used')
                if durable not in checked:
                    checked.add(durable)
                    check(w, st, seen)
                queue.append(st)
                st = here
    except Violation as v:
        trace = []
        while came[st]:
            st, label = came[st]
            trace.append(label[0].format(*label[1:]))
        return len(came), count, str(v), trace[::-1]
    return len(came), count, None, []


# ------------------------------------------------------------------------------------ configurations and controls

def order(members, exempt=(), t=2): return Order(frozenset(members), t, frozenset(exempt))


def config(n=3, liars=(), first=None, orders=(), nums=(3,), rollback=None, thief=False, cap=99, generate=False):
    """nums: how high numbers go under each order serial, so how many orders and attempts there are."""
    first = first or order(range(n))
    return Config(n, frozenset(liars), first, orders, len(nums) - 1, nums, rollback, thief, cap, generate)


FEWER, REPAIR, AGAIN = order({0, 1}, {2}), order({0, 1, 2}, {0}), order({0, 1})
CONFIGS = {
    '2-rollback':             config(n=2, rollback=0),
    '2-rollback-order':       config(n=2, rollback=0, nums=(2, 1), orders=(AGAIN,)),
    '3':                      config(),
    '3-rollback':             config(nums=(2,), rollback=0),
    '3-rollback-order':       config(nums=(1, 1), rollback=0, orders=(FEWER, REPAIR)),
    '3-liar':                 config(liars={2}),
    '3-liar-rollback':        config(liars={2}, nums=(2,), rollback=0),
    '3-liar-order':           config(liars={2}, nums=(2, 1), orders=(FEWER, REPAIR)),
    '3-liar-rollback-order':  config(liars={2}, nums=(1, 1), rollback=0, orders=(FEWER, REPAIR)),
    '3-liar-two-orders':      config(liars={2}, nums=(1, 1, 1), orders=(FEWER, REPAIR)),
    '3-liar-cap':             config(liars={2}, nums=(2, 1), rollback=0, orders=(FEWER,), cap=1),
    '3-thief':                config(nums=(2,), thief=True),
    '4-join':                 config(n=4, liars={2}, first=order({0, 1, 2}), nums=(2, 1),
                                     orders=(order({0, 1, 3}, {2}), order({0, 1, 2, 3}))),
    '4-leave':                config(n=4, liars={2}, first=order({0, 1, 2}), nums=(1, 1), rollback=1,
                                     orders=(order({1, 2, 3}),)),
    '4-liar-rollback':        config(n=4, liars={3}, nums=(1, 1), rollback=0, orders=(order({0, 1, 2}, {0, 3}),)),
    'generate':               config(liars={2}, nums=(1,), rollback=0, generate=True),
}
QUICK = ['generate', '3-thief', '3-liar-cap']
CONTROLS = [
    ('2-rollback', 'S1', 'no-flips'), ('2-rollback', 'S3', 'no-flips'),
    ('3-liar', 'S2', 'refusals'), ('3-liar-order', 'L1', 'refusals'), ('generate', 'S2', 'refusals'),
    ('3-liar', 'S1', 'refusals', 'one-slot'),
    ('3', 'S2', 'sign-twice'), ('3', 'S4', 'sign-twice', 'by-epoch'),
    ('3-liar-rollback', 'L1', 'newest-only'), ('3-liar-rollback', 'S1', 'behind-silent'),
    ('3', 'L2', 'drop-signed'), ('3-thief', 'S5', 'keep-failed'), ('3-thief', 'S5', 'keep-keys'),
    ('3-liar-rollback', 'S1', 'one-more'),
]


def run(job):
    """One configuration. With an invariant named, it must be found violated; else nothing may be."""
    global only
    name, only, *rules = job
    broken.clear()
    broken.update(rules)
    began = time.time()
    states, count, found, trace = explore(CONFIGS[name])
    took = time.time() - began
    line = f'{name:22} {" + ".join(rules):20} {states:8} states {count:8} steps {took:6.1f} s   {found or "holds"}'
    return bool(found) == bool(only), '\n'.join([line] + [f'    {k}. {step}' for k, step in enumerate(trace, 1)])


def main(args):
    names = CONFIGS
    if args == ['--quick']:
        names, args = QUICK, []
    if args:
        print(run((args[0], None, *args[1:]))[1])
        return 0
    as_expected = True
    with multiprocessing.Pool(maxtasksperchild=1) as pool:
        for good, text in pool.imap(run, [(name, None) for name in names] + CONTROLS):
            print(text if good else f'UNEXPECTED  {text}', flush=True)
            as_expected &= good
    return 0 if as_expected else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

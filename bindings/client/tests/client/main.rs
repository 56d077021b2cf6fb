//! The client against servers in this process that are honest, slow, gone, lying or hostile.

mod access;
mod faults;
mod hostile;
mod keys;
mod life;
mod manager;
mod operations;
mod site;

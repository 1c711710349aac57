//! What stock Fossil says to what this project writes and reads. Needs the program `fossil`.

mod delta;
mod grammar;
mod history;
mod reading;
mod schema;
mod stock;

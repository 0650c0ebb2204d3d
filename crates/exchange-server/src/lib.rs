//! The edge: seller and operator APIs, auction driver, command line and wiring. Binary: rialto.

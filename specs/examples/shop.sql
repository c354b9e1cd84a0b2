-- A shop with about a million order lines: the data of ./dev demo. Generated here, the same on
-- every run: "random" values are multiplications by primes, modulo the number of rows they name.

CREATE TABLE customer (
    customer_id  integer PRIMARY KEY,
    name         text NOT NULL,
    email        text NOT NULL UNIQUE,
    city         text NOT NULL,
    created_at   timestamptz NOT NULL
);

CREATE TABLE product (
    product_id   integer PRIMARY KEY,
    name         text NOT NULL,
    price_cents  integer NOT NULL CHECK (price_cents > 0),
    stock        integer NOT NULL CHECK (stock >= 0)
);

CREATE TABLE purchase (
    purchase_id  integer PRIMARY KEY,
    customer_id  integer NOT NULL,
    ordered_at   timestamptz NOT NULL,
    status       text NOT NULL CHECK (status IN ('open', 'paid', 'shipped', 'returned'))
);

CREATE TABLE order_line (
    purchase_id  integer NOT NULL,
    line_number  smallint NOT NULL,
    product_id   integer NOT NULL,
    quantity     smallint NOT NULL CHECK (quantity > 0),
    price_cents  integer NOT NULL
);

INSERT INTO customer
SELECT n,
       'Customer ' || n,
       'customer' || n || '@example.com',
       (ARRAY['Oslo', 'Porto', 'Gdansk', 'Lyon', 'Graz', 'Turku', 'Cork', 'Bergen'])[1 + n % 8],
       timestamptz '2020-01-01 00:00:00+00' + n * interval '17 minutes'
FROM generate_series(1, 50000) AS n;

INSERT INTO product
SELECT n, 'Product ' || n, 100 + (n::bigint * 7919) % 49900, (n::bigint * 104729) % 1000
FROM generate_series(1, 5000) AS n;

INSERT INTO purchase
SELECT n,
       1 + (n::bigint * 15485863) % 50000,
       timestamptz '2024-01-01 00:00:00+00' + n * interval '3 minutes',
       (ARRAY['paid', 'shipped', 'shipped', 'shipped', 'open', 'returned'])[1 + n % 6]
FROM generate_series(1, 330000) AS n;

INSERT INTO order_line
SELECT purchase_id,
       line_number,
       1 + (purchase_id::bigint * 32452843 + line_number * 49979687) % 5000,
       1 + (purchase_id + line_number) % 4,
       100 + (purchase_id::bigint * 7919 + line_number * 31) % 49900
FROM purchase, generate_series(1, 2 + purchase_id % 3) AS line_number;

ALTER TABLE order_line ADD PRIMARY KEY (purchase_id, line_number);
ALTER TABLE purchase ADD FOREIGN KEY (customer_id) REFERENCES customer;
ALTER TABLE order_line
    ADD FOREIGN KEY (purchase_id) REFERENCES purchase,
    ADD FOREIGN KEY (product_id) REFERENCES product;
CREATE INDEX purchase_by_customer ON purchase (customer_id, ordered_at);
CREATE INDEX purchase_by_time ON purchase (ordered_at);
CREATE INDEX order_line_by_product ON order_line (product_id);

ANALYZE;

CREATE TABLE `metrics` (
	`day` text NOT NULL,
	`name` text NOT NULL,
	`labels` text NOT NULL,
	`value` real NOT NULL,
	PRIMARY KEY(`day`, `name`, `labels`)
);

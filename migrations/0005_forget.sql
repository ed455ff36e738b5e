CREATE TABLE `person_chats` (
	`user_id` integer NOT NULL,
	`chat_name` text NOT NULL,
	PRIMARY KEY(`user_id`, `chat_name`)
);
--> statement-breakpoint
ALTER TABLE `users` ADD `forget_at` integer;
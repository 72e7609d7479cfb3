/** The controls that modules may use as they are. */
export { Button, TextInput, UnstyledButton } from '@mantine/core';

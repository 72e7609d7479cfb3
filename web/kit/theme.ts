import '@mantine/core/styles/baseline.css';
import '@mantine/core/styles/default-css-variables.css';
import '@mantine/core/styles/global.css';
import '@mantine/core/styles/UnstyledButton.css';
import '@mantine/core/styles/CloseButton.css';
import '@mantine/core/styles/Paper.css';
import '@mantine/core/styles/ScrollArea.css';
import '@mantine/core/styles/Overlay.css';
import '@mantine/core/styles/Popover.css';
import '@mantine/core/styles/Loader.css';
import '@mantine/core/styles/ActionIcon.css';
import '@mantine/core/styles/Button.css';
import '@mantine/core/styles/Input.css';
import '@mantine/core/styles/InlineInput.css';
import '@mantine/core/styles/PasswordInput.css';
import '@mantine/core/styles/SegmentedControl.css';
import '@mantine/core/styles/FloatingIndicator.css';
import '@mantine/core/styles/Switch.css';
import '@mantine/core/styles/Menu.css';
import '@mantine/core/styles/ModalBase.css';
import '@mantine/core/styles/Modal.css';
import '@mantine/core/styles/Drawer.css';
import './tokens.css';
import './base.css';
import {
  Button,
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  Input,
  type VariantColorsResolver,
} from '@mantine/core';

/** Buttons take their colours from the tokens, so that both schemes keep their contrast. */
const variantColorResolver: VariantColorsResolver = (input) => {
  if (input.variant === 'filled') {
    return {
      background: 'var(--pc-accent)',
      hover: 'var(--pc-accent-strong)',
      color: 'var(--pc-on-accent)',
      border: '1px solid transparent',
    };
  }
  if (input.variant === 'subtle' || input.variant === 'default') {
    return {
      background: input.variant === 'default' ? 'var(--pc-surface)' : 'transparent',
      hover: 'var(--pc-sunken)',
      color: 'var(--pc-text)',
      border: `1px solid ${input.variant === 'default' ? 'var(--pc-line-strong)' : 'transparent'}`,
    };
  }
  return defaultVariantColorsResolver(input);
};

/** Mantine's own variables, pointed at ours: one place says what a colour is. */
export const cssVariables: CSSVariablesResolver = () => {
  const shared = {
    '--mantine-color-body': 'var(--pc-surface)',
    '--mantine-color-text': 'var(--pc-text)',
    '--mantine-color-dimmed': 'var(--pc-muted)',
    '--mantine-color-placeholder': 'var(--pc-muted)',
    '--mantine-color-error': 'var(--pc-red)',
    '--mantine-color-anchor': 'var(--pc-blue)',
    '--mantine-color-default': 'var(--pc-surface)',
    '--mantine-color-default-hover': 'var(--pc-sunken)',
    '--mantine-color-default-color': 'var(--pc-text)',
    '--mantine-color-default-border': 'var(--pc-line-strong)',
    '--mantine-primary-color-filled': 'var(--pc-accent)',
    '--mantine-primary-color-filled-hover': 'var(--pc-accent-strong)',
    '--mantine-primary-color-contrast': 'var(--pc-on-accent)',
  };
  return { variables: {}, light: shared, dark: shared };
};

export const theme = createTheme({
  fontFamily: 'var(--pc-font)',
  fontFamilyMonospace: 'var(--pc-font-mono)',
  primaryColor: 'teal',
  defaultRadius: 'var(--pc-radius)',
  fontWeights: { regular: '400', medium: '600', bold: '600' },
  fontSizes: { xs: '0.8125rem', sm: '0.875rem', md: '1rem', lg: '1.25rem', xl: '1.5rem' },
  headings: { fontWeight: '600' },
  respectReducedMotion: true,
  cursorType: 'pointer',
  focusRing: 'auto',
  variantColorResolver,
  components: {
    Button: Button.extend({ defaultProps: { size: 'sm' } }),
    Input: Input.extend({ styles: { wrapper: { '--input-bd': 'var(--pc-line-strong)' } } }),
  },
});
